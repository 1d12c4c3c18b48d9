// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl
// needs: render/meeting.cl
// What layered materials have beside glTF's core, at the surfaces that paths came to.

EX_INLINE float texel_of(vec4 t, uint channel) {
    return channel == 0u ? t.x : (channel == 1u ? t.y : (channel == 2u ? t.z : t.w));
}

// A factor times a channel of the texture beside it.
EX_INLINE float layer_factor(
    __global const uint *blob, __global const uint *material, uint word, uint channel,
    const Footprint *print) {
    return as_float(material[word])
        * texel_of(material_texel(blob, material, word + 1u, print), channel);
}

EX_INLINE vec3 layer_color(
    __global const uint *blob, __global const uint *material, uint word,
    const Footprint *print) {
    vec4 texel = material_texel(blob, material, word + 3u, print);
    return flush3(multiply3(load3(material + word), make3(texel.x, texel.y, texel.z)));
}

EX_INLINE float squared_roughness(float roughness) {
    float alpha = roughness * roughness;
    return alpha > 0x1p-10f ? alpha : 0x1p-10f;
}

// KHR_materials_specular, and the archived glossiness model on top of it.
EX_INLINE void keep_specular(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, const Footprint *print) {
    float factor = layer_factor(blob, material, M_SPECULAR, 3u, print);
    vec3 tint = layer_color(blob, material, M_SPECULAR_COLOR, print);
    vec3 head_on = scale3(tint, as_float(material[M_F0]));
    head_on = make3(
        head_on.x < 1.0f ? head_on.x : 1.0f, head_on.y < 1.0f ? head_on.y : 1.0f,
        head_on.z < 1.0f ? head_on.z : 1.0f);
    set_path_vec3(state, capacity, P_SPECULAR, slot, flush3(scale3(head_on, factor)));
    set_path_float(state, capacity, P_RIM, slot, factor);
    if (!(material[M_FLAGS] & MATERIAL_GLOSSY)) return;
    float gloss = material_texel(blob, material, M_SPECULAR_COLOR_TEXTURE, print).w;
    float roughness = fma(-(1.0f - as_float(material[M_ROUGHNESS])), gloss, 1.0f);
    set_path_float(state, capacity, P_ALPHA, slot, squared_roughness(roughness));
}

// The tangent along which the highlight is wider or narrower, turned by rotation and texture.
EX_INLINE void keep_anisotropy(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, const Meeting *m, const Footprint *print) {
    float across = path_float(state, capacity, P_ALPHA, slot);
    float strength = as_float(material[M_ANISOTROPY]);
    set_path_float(state, capacity, P_ALPHA_ALONG, slot, across);
    set_path_vec3(state, capacity, P_TANGENT, slot, same3(0.0f));
    if (!(strength > 0.0f) || SECTION_COUNT(blob, S_TANGENTS) == 0u) return;
    vec3 n = path_vec3(state, capacity, P_SHADING_NORMAL, slot);
    vec4 t = surface_tangent(blob, m);
    vec3 along = make3(t.x, t.y, t.z);
    vec3 flat = fma3(n, -dot3(n, along), along);
    if (!(dot3(flat, flat) > 0x1p-20f)) return;
    vec3 x = normalize3(flat);
    vec3 y = scale3(cross3(n, x), t.w * m->side < 0.0f ? -1.0f : 1.0f);
    float dx = as_float(material[M_ANISOTROPY_AXIS]);
    float dy = as_float(material[M_ANISOTROPY_AXIS + 1]);
    if (material[M_ANISOTROPY_TEXTURE] != TEXTURE_NONE) {
        vec4 texel = material_texel(blob, material, M_ANISOTROPY_TEXTURE, print);
        float tx = fma(texel.x, 2.0f, -1.0f), ty = fma(texel.y, 2.0f, -1.0f);
        float turned = fma(dx, tx, -(dy * ty));
        dy = fma(dx, ty, dy * tx);
        dx = turned;
        strength *= texel.z;
    }
    set_path_vec3(state, capacity, P_TANGENT, slot, fma3(x, dx, scale3(y, dy)));
    set_path_float(
        state, capacity, P_ALPHA_ALONG, slot,
        fma(1.0f - across, strength * strength, across));
}

EX_INLINE void keep_coat(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, const Meeting *m, const Footprint *print) {
    float coat = layer_factor(blob, material, M_COAT, 0u, print);
    float roughness = layer_factor(blob, material, M_COAT_ROUGHNESS, 1u, print);
    vec4 texel = material_texel(blob, material, M_COAT_NORMAL_TEXTURE, print);
    vec3 normal = shading_normal(
        blob, m, path_vec3(state, capacity, P_NORMAL, slot),
        negate3(path_vec3(state, capacity, P_DIRECTION, slot)),
        material[M_COAT_NORMAL_TEXTURE] != TEXTURE_NONE, make3(texel.x, texel.y, texel.z),
        as_float(material[M_COAT_NORMAL_SCALE]));
    set_path_float(state, capacity, P_COAT, slot, m->side > 0.0f ? coat : 0.0f);
    set_path_float(state, capacity, P_COAT_ALPHA, slot, squared_roughness(roughness));
    set_path_vec3(state, capacity, P_COAT_NORMAL, slot, normal);
}

EX_INLINE void keep_film(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, const Footprint *print) {
    float least = as_float(material[M_FILM_LEAST]), most = as_float(material[M_FILM_MOST]);
    float between = material_texel(blob, material, M_FILM_THICKNESS_TEXTURE, print).y;
    set_path_float(
        state, capacity, P_FILM, slot, layer_factor(blob, material, M_FILM, 0u, print));
    set_path_float(state, capacity, P_FILM_IOR, slot, as_float(material[M_FILM_IOR]));
    set_path_float(state, capacity, P_FILM_THICKNESS, slot, fma(most - least, between, least));
}

// A path stands for one of three bands of a dispersive solid, drawn once for all of its bounces.
EX_INLINE void keep_dispersion(
    __global uint *state, uint capacity, uint slot, __global const uint *material,
    const Meeting *m) {
    uint chosen = state[P_BAND * capacity + slot] & BAND_CHOSEN;
    float spread = as_float(material[M_DISPERSION]);
    state[P_BAND * capacity + slot] = chosen;
    if (!(spread > 0.0f) || !(material[M_FLAGS] & MATERIAL_SOLID)) return;
    uint bits = draw_bits(
        state[P_KEY * capacity + slot], state[P_SAMPLE * capacity + slot], D_BAND);
    uint band = ((bits >> 16) * 3u) >> 16;
    float scale = fma((float)((int)band - 1), spread, 1.0f);
    float eta = path_float(state, capacity, P_ETA, slot);
    if (eta == 1.0f) return;
    set_path_float(
        state, capacity, P_ETA, slot, m->side > 0.0f ? eta * scale : eta * ex_rcp(scale));
    state[P_BAND * capacity + slot] = chosen | (band + 1u);
}

// Writes the layers of the surfaces that have any.
__kernel void layers(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict surfaces, uint depth, __global const uint *restrict counters) {
    uint count = counters[COUNT_SURFACES(depth)];
    uint first = first_path(count), end = end_of_paths(first, count);
    for (uint item = first; item < end; ++item) {
        uint slot = surfaces[item];
        if (depth == 0u) state[P_BAND * capacity + slot] = 0u;
        if (!(state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_LAYERED)) continue;
        Meeting m;
        meet(blob, state, capacity, slot, &m);
        __global const uint *material =
            SECTION(blob, S_MATERIALS) + m.t.material * MATERIAL_WORDS;
        Footprint print;
        float width = path_float(state, capacity, P_CONE_WIDTH, slot);
        cone_footprint(blob, state, capacity, slot, depth, &m, width, &print);
        keep_specular(blob, state, capacity, slot, material, &print);
        keep_anisotropy(blob, state, capacity, slot, material, &m, &print);
        keep_coat(blob, state, capacity, slot, material, &m, &print);
        keep_film(blob, state, capacity, slot, material, &print);
        keep_dispersion(state, capacity, slot, material, &m);
        set_path_vec3(
            state, capacity, P_SHEEN, slot, layer_color(blob, material, M_SHEEN, &print));
        set_path_float(
            state, capacity, P_SHEEN_ROUGHNESS, slot,
            layer_factor(blob, material, M_SHEEN_ROUGHNESS, 3u, &print));
        set_path_float(
            state, capacity, P_DIFFUSE_THROUGH, slot,
            layer_factor(blob, material, M_DIFFUSE_THROUGH, 3u, &print));
        set_path_vec3(
            state, capacity, P_THROUGH_COLOR, slot,
            layer_color(blob, material, M_THROUGH_COLOR, &print));
    }
}
