// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl
// Textures are RGBA8 words read by integer addressing and filtered by fma.

EX_INLINE int wrap_texel(int i, int size, uint mode) {
    if (mode == 2u) return i < 0 ? 0 : (i >= size ? size - 1 : i);
    int period = mode == 1u ? 2 * size : size;
    int r = i % period;
    if (r < 0) r += period;
    return r >= size ? period - 1 - r : r;
}

EX_INLINE float4 decode_texel(uint texel, uint is_srgb, __global const uint *srgb) {
    float alpha = (float)(texel >> 24) * 0x1.010102p-8f;
    if (is_srgb) {
        return (float4)(
            as_float(srgb[texel & 255u]), as_float(srgb[(texel >> 8) & 255u]),
            as_float(srgb[(texel >> 16) & 255u]), alpha);
    }
    return (float4)(
        (float)(texel & 255u) * 0x1.010102p-8f, (float)((texel >> 8) & 255u) * 0x1.010102p-8f,
        (float)((texel >> 16) & 255u) * 0x1.010102p-8f, alpha);
}

// `reference` is a texture's index times two, plus the set of coordinates it wants.
EX_INLINE float4 sample_texture(
    __global const uint *blob, uint reference, float2 uv0, float2 uv1) {
    __global const uint *record = SECTION(blob, S_TEXTURES) + (reference >> 1) * TEXTURE_WORDS;
    __global const uint *srgb = SECTION(blob, S_SRGB);
    uint4 words = vload4(0, record);
    int width = (int)words.y;
    int height = (int)words.z;
    uint flags = words.w;
    __global const uint *texels = SECTION(blob, S_TEXELS) + words.x;
    uint wrap_u = flags & 3u, wrap_v = (flags >> 2) & 3u, is_srgb = flags & 32u;
    float2 uv = reference & 1u ? uv1 : uv0;
    // Far away the fraction has no bits left anyway, and integers must not overflow.
    float u = fabs(uv.x) < 0x1p15f ? uv.x : 0.0f;
    float v = fabs(uv.y) < 0x1p15f ? uv.y : 0.0f;
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
    float4 corner[4];
    for (uint i = 0; i < 4u; ++i) {
        uint place = (uint)((i & 2u ? y1 : y0) * width + (i & 1u ? x1 : x0));
        corner[i] = decode_texel(texels[place], is_srgb, srgb);
    }
    float4 tx = (float4)(px - fx), ty = (float4)(py - fy);
    float4 top = fma(corner[1] - corner[0], tx, corner[0]);
    float4 bottom = fma(corner[3] - corner[2], tx, corner[2]);
    return fma(bottom - top, ty, top);
}
