// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// Textures are RGBA8 words read by integer addressing and filtered by fma: four texels of one
// picture of the pyramid. A path's cone says how large its picture's texels should be, and where
// that lies between two pictures, chance picks one of them, so that the mean is what trilinear
// filtering gives, at half the price.

// A coordinate brought into 0…1 by its mode of wrapping; 0 where it is not finite.
EX_INLINE float wrap_coordinate(float x, uint mode) {
    float clamped = x < 0.0f ? 0.0f : (x > 1.0f ? 1.0f : x);
    float half_x = x * 0.5f;
    float period = mode == WRAP_MIRROR ? 2.0f * (half_x - floor(half_x)) : x - floor(x);
    float folded = period > 1.0f ? 2.0f - period : period;
    float r = mode == WRAP_CLAMP ? clamped : folded;
    return r >= 0.0f && r <= 1.0f ? r : 0.0f;
}

// A texel's place along a side, -1 … size, by the mode of wrapping.
EX_INLINE int wrap_texel(int i, int size, uint mode) {
    if (mode == WRAP_REPEAT) return i < 0 ? size - 1 : (i >= size ? 0 : i);
    return i < 0 ? 0 : (i >= size ? size - 1 : i);
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

// Coordinates of both sets, and how large a path's cone is in them: an area.
typedef struct {
    vec2 uv[2];
    float area[2];
    float choice; // between two pictures of a pyramid
} Footprint;

// The picture of a pyramid, 0 the finest, whose texels are about as large as the cone, or -1 where
// all are larger. Half a binary logarithm, straight between powers of two.
EX_INLINE int texture_level(__global const uint *record, float area, float choice) {
    float texels = area * as_float(record[T_AREA]);
    if (!(texels > 1.0f)) return -1;
    float level = (float)((int)as_uint(texels) - 0x3f800000) * 0x1p-24f;
    uint flags = record[T_FLAGS];
    int picture = (int)floor(level + (flags & TEXTURE_LEVEL_LINEAR ? choice : 0.5f));
    int last = (int)record[T_LEVELS] - 1;
    return picture < last ? picture : last;
}

// One picture's texels around a place.
EX_INLINE vec4 sample_picture(
    __global const uint *texels, __global const uint *srgb, int width, int height, float u,
    float v, uint flags, bool is_linear) {
    uint wrap_u = flags & 3u, wrap_v = (flags >> TEXTURE_WRAP_V) & 3u;
    uint is_srgb = flags & TEXTURE_SRGB;
    if (!is_linear) {
        int x = wrap_texel((int)floor(u * (float)width), width, WRAP_CLAMP);
        int y = wrap_texel((int)floor(v * (float)height), height, WRAP_CLAMP);
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

// A use of a texture at a place.
EX_INLINE vec4 sample_texture(__global const uint *blob, uint use, const Footprint *at) {
    __global const uint *record = SECTION(blob, S_TEXTURES) + use * TEXTURE_WORDS;
    uint flags = record[T_FLAGS];
    bool is_set_1 = flags & TEXTURE_SET_1;
    float u = is_set_1 ? at->uv[1].x : at->uv[0].x, v = is_set_1 ? at->uv[1].y : at->uv[0].y;
    vec3 row_u = load3(record + T_TRANSFORM), row_v = load3(record + T_TRANSFORM + 3);
    float x = wrap_coordinate(fma(row_u.x, u, fma(row_u.y, v, row_u.z)), flags & 3u);
    float y = wrap_coordinate(
        fma(row_v.x, u, fma(row_v.y, v, row_v.z)), (flags >> TEXTURE_WRAP_V) & 3u);
    int level = texture_level(record, is_set_1 ? at->area[1] : at->area[0], at->choice);
    bool is_linear = flags & (level < 0 ? TEXTURE_LINEAR : TEXTURE_MIN_LINEAR);
    __global const uint *texels = SECTION(blob, S_TEXELS) + record[T_TEXELS];
    int width = (int)record[T_WIDTH], height = (int)record[T_HEIGHT];
    for (; level > 0; --level) {
        texels += width * height;
        width = width > 1 ? width >> 1 : 1;
        height = height > 1 ? height >> 1 : 1;
    }
    return sample_picture(
        texels, SECTION(blob, S_SRGB), width, height, x, y, flags, is_linear);
}
