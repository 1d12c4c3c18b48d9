// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// Textures are RGBA8 words read by integer addressing and filtered by fma.

// i modulo a period, for |i| < 2^30 with |i / period| < 2^16: the quotient in floats is off by one
// at most. (Vectors have no integer division.)
EX_INLINE int wrap_period(int i, int period) {
    int r = i - (int)floor((float)i * ex_rcp((float)period)) * period;
    r = r < 0 ? r + period : r;
    return r >= period ? r - period : r;
}

EX_INLINE int wrap_texel(int i, int size, uint mode) {
    if (mode == 2u) return i < 0 ? 0 : (i >= size ? size - 1 : i);
    int period = mode == 1u ? 2 * size : size;
    int r = wrap_period(i, period);
    return r >= size ? period - 1 - r : r;
}

EX_INLINE vec4 decode_texel(uint texel, uint is_srgb, __global const uint *srgb) {
    vec4 r = make4(
        (float)(texel & 255u) * 0x1.010102p-8f, (float)((texel >> 8) & 255u) * 0x1.010102p-8f,
        (float)((texel >> 16) & 255u) * 0x1.010102p-8f, (float)(texel >> 24) * 0x1.010102p-8f);
    if (is_srgb) {
        r.x = as_float(srgb[texel & 255u]);
        r.y = as_float(srgb[(texel >> 8) & 255u]);
        r.z = as_float(srgb[(texel >> 16) & 255u]);
    }
    return r;
}

// `reference` is a texture's index times two, plus the set of coordinates it wants.
EX_INLINE vec4 sample_texture(__global const uint *blob, uint reference, vec2 uv0, vec2 uv1) {
    __global const uint *record = SECTION(blob, S_TEXTURES) + (reference >> 1) * TEXTURE_WORDS;
    __global const uint *srgb = SECTION(blob, S_SRGB);
    __global const uint *texels = SECTION(blob, S_TEXELS) + record[0];
    int width = (int)record[1], height = (int)record[2];
    uint flags = record[3];
    uint wrap_u = flags & 3u, wrap_v = (flags >> 2) & 3u, is_srgb = flags & 32u;
    float u = reference & 1u ? uv1.x : uv0.x, v = reference & 1u ? uv1.y : uv0.y;
    // Far away the fraction has no bits left anyway, and integers must not overflow.
    u = fabs(u) < 0x1p15f ? u : 0.0f;
    v = fabs(v) < 0x1p15f ? v : 0.0f;
    if (!(flags & 16u)) {
        int x = wrap_texel((int)floor(u * (float)width), width, wrap_u);
        int y = wrap_texel((int)floor(v * (float)height), height, wrap_v);
        return decode_texel(texels[y * width + x], is_srgb, srgb);
    }
    float px = fma(u, (float)width, -0.5f);
    float py = fma(v, (float)height, -0.5f);
    float fx = floor(px), fy = floor(py);
    int x0 = wrap_texel((int)fx, width, wrap_u), x1 = wrap_texel((int)fx + 1, width, wrap_u);
    int y0 = wrap_texel((int)fy, height, wrap_v), y1 = wrap_texel((int)fy + 1, height, wrap_v);
    vec4 a = decode_texel(texels[y0 * width + x0], is_srgb, srgb);
    vec4 b = decode_texel(texels[y0 * width + x1], is_srgb, srgb);
    vec4 c = decode_texel(texels[y1 * width + x0], is_srgb, srgb);
    vec4 d = decode_texel(texels[y1 * width + x1], is_srgb, srgb);
    vec4 top = fma4(subtract4(b, a), px - fx, a);
    vec4 bottom = fma4(subtract4(d, c), px - fx, c);
    return fma4(subtract4(bottom, top), py - fy, top);
}
