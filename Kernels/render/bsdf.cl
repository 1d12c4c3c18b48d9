// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// glTF 2.0's metallic-roughness surface (appendix B) with KHR_materials_transmission and ior: a
// GGX interface over a Lambert base, glass, or metal. Directions are local, the normal is z, and
// the viewer's side is up.
//
// Thin walls (glTF's transmission without volume) let light through in the mirrored reflection
// lobe; solids refract. A solid's tint is the square root of its base colour, met twice on the way
// through. Radiance is carried as if divided by the squared index, so that the compression at
// an interface, undone at the next one, never appears.
//
// Where RIGOR_LAYERED is set, the same surface has what KHR_materials_specular, anisotropy,
// iridescence, diffuse_transmission add to it.

typedef struct {
    vec3 base;
    float metallic;
    float alpha; // roughness squared, at least 2^-10
    float transmission;
    float f0; // reflectance of the dielectric head-on
    float eta; // index beyond the surface over index before it
    bool is_thin;
    float specular_chance; // of sampling the interface rather than the base
#ifdef RIGOR_LAYERED
    vec3 specular; // the dielectric's reflectance head-on, with its tint
    float rim; // and at the rim
    float alpha_along; // the tangent; `alpha` is across it
    float film, film_ior, film_thickness;
    float diffuse_through;
    vec3 through_color;
    float sheen_weight; // what the base's lobe is sampled for besides
#endif
} Bsdf;

EX_INLINE float fresnel_dielectric(float c, float eta) {
    float sine_squared = ex_div(fma(-c, c, 1.0f), eta * eta);
    if (sine_squared >= 1.0f) return 1.0f;
    float t = ex_sqrt(1.0f - sine_squared);
    float s = ex_div(fma(-eta, t, c), fma(eta, t, c));
    float p = ex_div(fma(eta, c, -t), fma(eta, c, t));
    return fma(s, s, p * p) * 0.5f;
}

EX_INLINE float schlick_weight(float c) {
    float m = c < 1.0f ? 1.0f - c : 0.0f;
    float m2 = m * m;
    return m2 * m2 * m;
}

typedef struct {
    float dielectric;
    vec3 reflected; // metal and dielectric together
    vec3 transmitted;
} Fresnel;

#ifdef RIGOR_LAYERED
// A dielectric's reflectance with KHR_materials_specular: at most `specular` head-on and `rim` at
// the rim, along Schlick's curve, or where light goes through along Fresnel's.
EX_INLINE vec3 tinted_dielectric(const Bsdf *b, float c, float w, float rim) {
    float far = rim * b->rim;
    if (!(b->transmission > 0.0f)) {
        return fma3(subtract3(same3(far), b->specular), w, b->specular);
    }
    float exact = fresnel_dielectric(c, b->eta);
    if (exact >= 1.0f) return same3(1.0f);
    float root = ex_div(b->eta - 1.0f, b->eta + 1.0f);
    float head_on = root * root;
    float scale = b->f0 > 0.0f ? ex_div(head_on, b->f0) : 1.0f;
    vec3 least = scale3(b->specular, scale);
    least = make3(
        least.x < 1.0f ? least.x : 1.0f, least.y < 1.0f ? least.y : 1.0f,
        least.z < 1.0f ? least.z : 1.0f);
    float above = ex_div(exact - head_on, 1.0f - head_on);
    above = above > 0.0f ? above : 0.0f;
    return fma3(subtract3(same3(b->rim), least), above, least);
}

// Under a thin film (film.cl), as far as the film covers.
EX_INLINE vec3 blend_film(const Bsdf *b, float c, vec3 head_on, vec3 bare) {
    vec3 filmed = film_reflectance(b->film_ior, b->film_thickness, c, head_on);
    return fma3(subtract3(filmed, bare), b->film, bare);
}

// Light that the base takes in for the lobes that are sampled by the cosine.
EX_INLINE float base_luminance(const Bsdf *b) {
    float back = luminance(b->base) * (1.0f - b->diffuse_through);
    return fma(luminance(b->through_color), b->diffuse_through, back);
}
#else
EX_INLINE float base_luminance(const Bsdf *b) { return luminance(b->base); }
#endif

EX_INLINE void fresnel_at(const Bsdf *b, float c, Fresnel *f) {
    float w = schlick_weight(c);
    bool is_clear = b->transmission > 0.0f;
    // An index of one reflects nothing; Schlick's curve alone would still shine at the rim.
    float rim = b->f0 > 0.0f ? 1.0f : 0.0f;
#ifdef RIGOR_LAYERED
    vec3 metal = fma3(subtract3(same3(1.0f), b->base), w, b->base);
    vec3 d = tinted_dielectric(b, c, w, rim);
    // (A loop, since films are long and compiled often.)
    for (uint i = 0u; i < 2u && b->film > 0.0f; ++i) {
        vec3 filmed = blend_film(b, c, i == 0u ? b->specular : b->base, i == 0u ? d : metal);
        if (i == 0u) d = filmed;
        else metal = filmed;
    }
    f->dielectric = largest3(d);
#else
    f->dielectric = is_clear ? fresnel_dielectric(c, b->eta) : fma(rim - b->f0, w, b->f0);
    vec3 metal = fma3(subtract3(same3(1.0f), b->base), w, b->base);
    vec3 d = same3(f->dielectric);
#endif
    f->reflected = fma3(subtract3(metal, d), b->metallic, d);
    float through = (1.0f - f->dielectric) * (1.0f - b->metallic) * b->transmission;
    vec3 tint = b->base;
    if (is_clear && !b->is_thin) {
        tint = make3(ex_sqrt(tint.x), ex_sqrt(tint.y), ex_sqrt(tint.z));
    }
    f->transmitted = scale3(tint, through);
}

// Chance of the interface, from the Fresnel weights for the direction of view.
EX_INLINE float specular_chance(const Bsdf *b, float cosine) {
    Fresnel f;
    fresnel_at(b, cosine, &f);
    float interface_weight = luminance(f.reflected) + luminance(f.transmitted);
    float base_weight = (1.0f - f.dielectric) * (1.0f - b->metallic) * (1.0f - b->transmission)
        * base_luminance(b);
#ifdef RIGOR_LAYERED
    base_weight += b->sheen_weight;
#endif
    float sum = interface_weight + base_weight;
    if (!(sum > 0x1p-30f)) return 1.0f;
    float chance = ex_div(interface_weight, sum);
    if (base_weight <= 0.0f) return 1.0f;
    if (interface_weight <= 0.0f) return 0.0f;
    return chance < 0x1p-3f ? 0x1p-3f : (chance > 0x1.cp-1f ? 0x1.cp-1f : chance);
}

// How rough along the tangent and across it; as large as it is for the reason that vec2 is. Where
// there is no anisotropy it is one number, or a compiler sees a pair and makes it a vector.
#ifdef RIGOR_LAYERED
typedef struct {
    float along, across;
    float unused[3];
} Roughness;

EX_INLINE Roughness roughness_of(const Bsdf *b) {
    Roughness r;
    r.across = b->alpha;
    r.along = b->alpha_along;
    return r;
}

#define ALONG(r) (r).along
#define ACROSS(r) (r).across
#else
typedef float Roughness;

EX_INLINE Roughness roughness_of(const Bsdf *b) { return b->alpha; }

#define ALONG(r) (r)
#define ACROSS(r) (r)
#endif

EX_INLINE float shadowing_root(Roughness r, vec3 v) {
#ifdef RIGOR_LAYERED
    float x = v.x * ALONG(r), y = v.y * ACROSS(r);
    return ex_sqrt(fma(x, x, fma(y, y, v.z * v.z)));
#else
    float a2 = ACROSS(r) * ACROSS(r), cosine = fabs(v.z);
    return ex_sqrt(fma(fma(-a2, cosine, cosine), cosine, a2));
#endif
}

// GGX facets turned toward `h`: how many of those that the viewer sees, and which part of them the
// light reaches.
typedef struct {
    float visible;
    float lit;
} Facets;

EX_INLINE void facets_at(Roughness r, vec3 wo, vec3 wi, vec3 h, float oh, Facets *f) {
    float hx = h.x * ex_rcp(ALONG(r)), hy = h.y * ex_rcp(ACROSS(r));
    float d = fma(hx, hx, fma(hy, hy, h.z * h.z));
    float distribution = ex_rcp(0x1.921fb6p1f * ALONG(r) * ACROSS(r) * d * d);
    float cosine_i = fabs(wi.z);
    float root_o = shadowing_root(r, wo), root_i = shadowing_root(r, wi);
    f->visible = distribution * ex_div(2.0f * oh, wo.z + root_o);
    f->lit = ex_div(
        cosine_i * (wo.z + root_o), fma(cosine_i, root_o, wo.z * root_i));
}

// Visible normals: Dupuy and Benyoub, "Sampling Visible GGX Normals with Spherical Caps" (2023).
EX_INLINE vec3 sample_normal(Roughness rough, vec3 wo, vec2 u) {
    vec3 w = normalize3(make3(wo.x * ALONG(rough), wo.y * ACROSS(rough), wo.z));
    vec2 circle = unit_circle(u.x);
    float z = fma(1.0f - u.y, 1.0f + w.z, -w.z);
    float squared = fma(-z, z, 1.0f);
    float r = squared > 0.0f ? ex_sqrt(squared) : 0.0f;
    vec3 c = make3(fma(r, circle.x, w.x), fma(r, circle.y, w.y), z + w.z);
    return normalize3(make3(
        c.x * ALONG(rough), c.y * ACROSS(rough), c.z > 0x1p-20f ? c.z : 0x1p-20f));
}

// `bsdf_evaluate` but for what the base lets through.
EX_INLINE vec4 bsdf_evaluate_front(const Bsdf *b, vec3 wo, vec3 wi) {
    bool is_reflection = wi.z > 0.0f;
    if (wi.z == 0.0f || (!is_reflection && b->transmission <= 0.0f)) return none4();
    bool is_refraction = !is_reflection && !b->is_thin;
    vec3 wr = make3(wi.x, wi.y, is_reflection || is_refraction ? wi.z : -wi.z);
    vec3 sum = is_refraction ? fma3(wi, b->eta, wo) : add3(wo, wr);
    float square = dot3(sum, sum);
    if (square < 0x1p-60f) return none4();
    vec3 h = scale3(sum, ex_rsqrt(square));
    if (h.z < 0.0f) h = negate3(h);
    float oh = dot3(wo, h), ih = dot3(wr, h);
    if (oh <= 0x1p-20f || (is_refraction && ih >= 0.0f)) return none4();

    Fresnel f;
    fresnel_at(b, oh, &f);
    Facets facets;
    facets_at(roughness_of(b), wo, wi, h, oh, &facets);
    float jacobian;
    if (is_refraction) {
        float denominator = fma(b->eta, ih, oh);
        float squared = denominator * denominator;
        jacobian = ex_div(
            b->eta * b->eta * -ih, squared > 0x1p-40f ? squared : 0x1p-40f);
    } else {
        jacobian = ex_rcp(4.0f * oh);
    }
    float weight_r = luminance(f.reflected), weight_t = luminance(f.transmitted);
    float weight = weight_r + weight_t;
    float reflect_chance = weight_t > 0.0f ? ex_div(weight_r, weight) : 1.0f;
    float chance = is_reflection ? reflect_chance : 1.0f - reflect_chance;
    float density = facets.visible * jacobian;
    vec3 color = scale3(is_reflection ? f.reflected : f.transmitted, facets.lit * density);
    vec4 result = make4(color.x, color.y, color.z, b->specular_chance * chance * density);
    if (is_reflection) {
        float lambert = wi.z * 0x1.45f306p-2f;
        float under = (1.0f - f.dielectric) * (1.0f - b->metallic) * (1.0f - b->transmission);
        float base_density = (1.0f - b->specular_chance) * lambert;
#ifdef RIGOR_LAYERED
        under *= 1.0f - b->diffuse_through;
        base_density *= 1.0f - b->diffuse_through;
#endif
        vec3 base = scale3(b->base, under * lambert);
        result.x += base.x;
        result.y += base.y;
        result.z += base.z;
        result.w += base_density;
    }
    return result;
}

// f · |cosine| in xyz and the density of sampling `wi` in w, both per solid angle.
EX_INLINE vec4 bsdf_evaluate(const Bsdf *b, vec3 wo, vec3 wi) {
    vec4 result = bsdf_evaluate_front(b, wo, wi);
#ifdef RIGOR_LAYERED
    if (wi.z < 0.0f && b->diffuse_through > 0.0f) {
        // There is no facet between the two directions: light goes in as the viewer's comes out.
        Fresnel f;
        fresnel_at(b, wo.z, &f);
        float lambert = -wi.z * 0x1.45f306p-2f * b->diffuse_through;
        float under = (1.0f - f.dielectric) * (1.0f - b->metallic) * (1.0f - b->transmission);
        vec3 through = scale3(b->through_color, under * lambert);
        float density = (1.0f - b->specular_chance) * lambert;
        result.x += through.x;
        result.y += through.y;
        result.z += through.z;
        result.w += density;
    }
#endif
    return result;
}

// A direction to go on in, or zero where light ends. `u` chooses the direction, `choice` the lobe.
EX_INLINE vec3 bsdf_sample(const Bsdf *b, vec3 wo, vec2 u, float choice) {
    if (choice >= b->specular_chance) {
        vec2 circle = unit_circle(u.x);
        float r = ex_sqrt(u.y);
        float z = ex_sqrt(1.0f - u.y);
#ifdef RIGOR_LAYERED
        float rest = ex_div(choice - b->specular_chance, 1.0f - b->specular_chance);
        z = rest < b->diffuse_through ? -z : z;
#endif
        return make3(r * circle.x, r * circle.y, z);
    }
    vec3 h = sample_normal(roughness_of(b), wo, u);
    float c = dot3(wo, h);
    vec3 mirrored = fma3(h, 2.0f * c, negate3(wo));
    Fresnel f;
    fresnel_at(b, c, &f);
    float weight_r = luminance(f.reflected), weight_t = luminance(f.transmitted);
    float within = ex_div(choice, b->specular_chance);
    if (weight_t <= 0.0f || within * (weight_r + weight_t) < weight_r) {
        return mirrored.z > 0.0f ? mirrored : same3(0.0f);
    }
    if (b->is_thin) {
        return mirrored.z > 0.0f ? make3(mirrored.x, mirrored.y, -mirrored.z) : same3(0.0f);
    }
    float over_eta = ex_rcp(b->eta);
    float squared = fma(-over_eta * over_eta, fma(-c, c, 1.0f), 1.0f);
    if (squared <= 0.0f) return same3(0.0f);
    vec3 refracted = fma3(
        h, fma(over_eta, c, -ex_sqrt(squared)), scale3(negate3(wo), over_eta));
    return refracted.z < 0.0f ? refracted : same3(0.0f);
}
