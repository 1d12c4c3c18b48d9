// needs: exact/divide.cl exact/root.cl exact/inverse.cl exact/exponential.cl exact/logarithm.cl
// needs: exact/power.cl exact/trigonometric.cl render/vector.cl render/layout.cl render/random.cl
// needs: render/film.cl render/bsdf.cl
// defines: RIGOR_LAYERED=1
// Surfaces with more than glTF's core has: a clear coat and a sheen over the surface of bsdf.cl.
//
// The coat takes its Fresnel share of what comes or what goes, whichever is more, so that
// directions may be exchanged and no light is made; it has a normal of its own, and lies on a
// surface's front alone. Sheen scales down what lies under it by what it sends back itself, for the
// viewer's direction or the light's, whichever is more.

typedef struct {
    float coat;
    float coat_chance; // of sampling the coat
    Roughness coat_roughness;
    Frame coat_frame;
    vec3 coat_wo;
    vec3 sheen;
    float sheen_roughness;
    float sheen_back; // of a white sheen, to the viewer
    __global const uint *sheen_table;
} Layers;

EX_INLINE float table_at(__global const uint *table, uint row, uint column) {
    return as_float(table[row * SHEEN_SIDE + column]);
}

// What a white sheen sends back of the light that comes at a cosine.
EX_INLINE float sheen_back(__global const uint *table, float cosine, float roughness) {
    float x = cosine * (float)(SHEEN_SIDE - 1), y = roughness * (float)(SHEEN_SIDE - 1);
    x = x > 0.0f ? (x < 15.0f ? x : 15.0f) : 0.0f;
    y = y > 0.0f ? (y < 15.0f ? y : 15.0f) : 0.0f;
    uint column = x < 14.0f ? (uint)x : 14u, row = y < 14.0f ? (uint)y : 14u;
    float fx = x - (float)column, fy = y - (float)row;
    float a = table_at(table, row, column), b = table_at(table, row, column + 1u);
    float c = table_at(table, row + 1u, column), d = table_at(table, row + 1u, column + 1u);
    float top = fma(b - a, fx, a), bottom = fma(d - c, fx, c);
    return fma(bottom - top, fy, top);
}

EX_INLINE float sheen_curve(float x, float s) {
    float a = fma(0x1.e37b4ap1f, s, 0x1.58c1bep4f);
    float b = fma(-0x1.02d384p-1f, s, 0x1.ea392ep1f);
    float c = fma(-0x1.ef1fdep-6f, s, 0x1.95f99cp-3f);
    float d = fma(0x1.68477p-1f, s, -0x1.fa43fep0f);
    float e = fma(-0x1.1408d8p-1f, s, -0x1.1483bap2f);
    float power = ex_pow(x > 0x1p-30f ? x : 0x1p-30f, c);
    return fma(d, x, ex_div(a, fma(b, power, 1.0f)) + e);
}

EX_INLINE float sheen_shadow(float cosine, float alpha) {
    float rest = 1.0f - alpha;
    float s = rest * rest;
    if (cosine < 0.5f) return ex_exp(sheen_curve(cosine, s));
    return ex_exp(fma(2.0f, sheen_curve(0.5f, s), -sheen_curve(1.0f - cosine, s)));
}

// The sheen of Estevez and Kulla ("Production Friendly Microfacet Sheen BRDF", 2017), white.
EX_INLINE float sheen_lobe(float roughness, vec3 wo, vec3 wi) {
    float alpha = roughness * roughness;
    alpha = alpha > 0x1.47ae14p-7f ? alpha : 0x1.47ae14p-7f;
    vec3 h = normalize3(add3(wo, wi));
    float squared = fma(-h.z, h.z, 1.0f);
    float sine = squared > 0x1p-30f ? ex_sqrt(squared) : 0x1p-15f;
    float over = ex_rcp(alpha);
    float distribution = (2.0f + over) * 0x1.45f306p-3f * ex_pow(sine, over);
    float shadow = 1.0f + sheen_shadow(wo.z, alpha) + sheen_shadow(wi.z, alpha);
    float below = shadow * 4.0f * wo.z * wi.z;
    return ex_div(distribution, below > 0x1p-30f ? below : 0x1p-30f);
}

// Adds the sheen to what lies under it.
EX_INLINE void add_sheen(const Layers *l, vec3 wo, vec3 wi, vec4 *f) {
    float most = largest3(l->sheen);
    if (!(most > 0.0f)) return;
    float back = sheen_back(l->sheen_table, fabs(wi.z), l->sheen_roughness);
    back = back > l->sheen_back ? back : l->sheen_back;
    float kept = fma(-most, back < 1.0f ? back : 1.0f, 1.0f);
    vec3 sum = scale3(make3(f->x, f->y, f->z), kept);
    if (wi.z > 0.0f) {
        // The lobe sends back more than there is at grazing angles where it is smooth.
        float lobe = sheen_lobe(l->sheen_roughness, wo, wi) * wi.z;
        sum = fma3(l->sheen, back > 1.0f ? ex_div(lobe, back) : lobe, sum);
    }
    f->x = sum.x;
    f->y = sum.y;
    f->z = sum.z;
}

EX_INLINE float coat_fresnel(float c) {
    return fma(0x1.eb851ep-1f, schlick_weight(c), 0x1.47ae14p-5f);
}

// Adds the coat over what lies under it.
EX_INLINE void add_coat(const Layers *l, vec3 wi, bool is_reflection, vec4 *f) {
    if (!(l->coat > 0.0f)) return;
    float fresnel_o = coat_fresnel(l->coat_wo.z), fresnel_i = coat_fresnel(fabs(wi.z));
    float density = 0.0f, added = 0.0f;
    vec3 sum = add3(l->coat_wo, wi);
    float square = dot3(sum, sum);
    if (is_reflection && wi.z > 0.0f && square > 0x1p-60f) {
        vec3 h = scale3(sum, ex_rsqrt(square));
        float oh = dot3(l->coat_wo, h);
        if (oh > 0x1p-20f) {
            Facets facets;
            facets_at(l->coat_roughness, l->coat_wo, wi, h, oh, &facets);
            density = facets.visible * ex_rcp(4.0f * oh);
            added = l->coat * coat_fresnel(oh) * facets.lit * density;
        }
    }
    float kept = fma(-l->coat, fresnel_o > fresnel_i ? fresnel_o : fresnel_i, 1.0f);
    f->x = fma(f->x, kept, added);
    f->y = fma(f->y, kept, added);
    f->z = fma(f->z, kept, added);
    f->w = fma(l->coat_chance, density - f->w, f->w);
}

// As `bsdf_evaluate`, with the layers; `direction` is `wi` in the world.
EX_INLINE vec4 layered_evaluate(
    const Layers *l, const Bsdf *b, vec3 wo, vec3 wi, vec3 direction) {
    vec4 f = bsdf_evaluate(b, wo, wi);
    add_sheen(l, wo, wi, &f);
    add_coat(l, to_local(&l->coat_frame, direction), wi.z > 0.0f, &f);
    return f;
}

// As `bsdf_sample`; in the frame of the surface.
EX_INLINE vec3 layered_sample(
    const Layers *l, const Bsdf *b, const Frame *frame, vec3 wo, vec2 u, float choice) {
    if (choice >= l->coat_chance) {
        return bsdf_sample(
            b, wo, u, ex_div(choice - l->coat_chance, 1.0f - l->coat_chance));
    }
    vec3 h = sample_normal(l->coat_roughness, l->coat_wo, u);
    vec3 wi = fma3(h, 2.0f * dot3(l->coat_wo, h), negate3(l->coat_wo));
    if (!(wi.z > 0.0f)) return same3(0.0f);
    vec3 mirrored = to_local(frame, to_world(&l->coat_frame, wi));
    return mirrored.z > 0.0f ? mirrored : same3(0.0f);
}

// The layers of a path's surface, and what they add to the surface under them. Its frame turns
// along the tangent.
EX_INLINE void load_layers(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot,
    vec3 toward_viewer, const Frame *frame, Bsdf *b, Layers *l) {
    b->specular = path_vec3(state, capacity, P_SPECULAR, slot);
    b->rim = path_float(state, capacity, P_RIM, slot);
    b->alpha_along = path_float(state, capacity, P_ALPHA_ALONG, slot);
    b->film = path_float(state, capacity, P_FILM, slot);
    b->film_ior = path_float(state, capacity, P_FILM_IOR, slot);
    b->film_thickness = path_float(state, capacity, P_FILM_THICKNESS, slot);
    b->diffuse_through = path_float(state, capacity, P_DIFFUSE_THROUGH, slot);
    b->through_color = path_vec3(state, capacity, P_THROUGH_COLOR, slot);
    l->sheen = path_vec3(state, capacity, P_SHEEN, slot);
    l->sheen_roughness = path_float(state, capacity, P_SHEEN_ROUGHNESS, slot);
    l->sheen_table = SECTION(blob, S_SHEEN);
    l->sheen_back =
        sheen_back(l->sheen_table, dot3(toward_viewer, frame->normal), l->sheen_roughness);
    b->sheen_weight = luminance(l->sheen);
    l->coat = path_float(state, capacity, P_COAT, slot);
    l->coat_roughness.along = l->coat_roughness.across =
        path_float(state, capacity, P_COAT_ALPHA, slot);
    frame_around(path_vec3(state, capacity, P_COAT_NORMAL, slot), &l->coat_frame);
    l->coat_wo = to_local(&l->coat_frame, toward_viewer);
    float share = l->coat * coat_fresnel(l->coat_wo.z);
    share = share > 0x1p-3f ? share : 0x1p-3f;
    l->coat_chance = l->coat > 0.0f ? (share < 0x1.cp-1f ? share : 0x1.cp-1f) : 0.0f;
}

// A frame around `normal` whose tangent is as near to the given one as it can be.
EX_INLINE void turn_frame(vec3 tangent, Frame *frame) {
    vec3 flat = fma3(frame->normal, -dot3(frame->normal, tangent), tangent);
    if (!(dot3(flat, flat) > 0x1p-20f)) return;
    frame->tangent = normalize3(flat);
    frame->bitangent = cross3(frame->normal, frame->tangent);
}

// What a band of a dispersive solid's refraction leaves of the three: the one that the path stands
// for from there on.
EX_INLINE void keep_band(
    __global const uint *state, uint capacity, uint slot, vec3 wi, vec4 *f) {
    uint word = state[P_BAND * capacity + slot];
    uint band = word & 3u;
    if (band == 0u || wi.z > 0.0f || word & BAND_CHOSEN) return;
    f->x = band == 1u ? f->x * 3.0f : 0.0f;
    f->y = band == 2u ? f->y * 3.0f : 0.0f;
    f->z = band == 3u ? f->z * 3.0f : 0.0f;
}
