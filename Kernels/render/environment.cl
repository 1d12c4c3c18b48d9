// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// Light from all around: an equirectangular picture, and a table to draw directions from by how
// bright they are, between texels too.
// u = 1/2 + atan2(z, x) / 2π and v = acos(y) / π, so the picture's middle lies toward +x and its
// right half toward +z.

// Into [0, 1). What is not a number becomes 0: texels are found by it.
EX_INLINE float unit_coordinate(float x) {
    float low = x > 0.0f ? x : 0.0f;
    return low < 0x1.fffffep-1f ? low : 0x1.fffffep-1f;
}

EX_INLINE vec2 environment_uv(vec3 d) {
    float u = fma(ex_atan2(d.z, d.x), 0x1.45f306p-3f, 0.5f);
    float y = d.y > 1.0f ? 1.0f : (d.y < -1.0f ? -1.0f : d.y);
    float v = ex_acos(y) * 0x1.45f306p-2f;
    return make2(unit_coordinate(u), unit_coordinate(v));
}

// The four texels around texture coordinates, and where between them these lie.
typedef struct {
    vec3 a, b, c, d; // above: left and right; below: left and right
    float fx, fy;
    int row; // of the patch: 0 lies above the middles of the first texels
} Patch;

// Around the seam, held at the poles.
EX_INLINE void environment_patch(__global const uint *blob, vec2 uv, Patch *p) {
    __global const uint *texels = SECTION(blob, S_ENV_TEXELS);
    int width = (int)blob[H_ENV_WIDTH], height = (int)blob[H_ENV_HEIGHT];
    float px = fma(uv.x, (float)width, -0.5f), py = fma(uv.y, (float)height, -0.5f);
    float left = floor(px), above = floor(py);
    p->fx = px - left;
    p->fy = py - above;
    int x0 = (int)left, y0 = (int)above;
    int x1 = x0 + 1 >= width ? 0 : x0 + 1;
    int y1 = y0 + 1 >= height ? height - 1 : y0 + 1;
    p->row = y0 + 1;
    x0 = x0 < 0 ? width - 1 : x0;
    y0 = y0 < 0 ? 0 : y0;
    p->a = load3(texels + 3 * (y0 * width + x0));
    p->b = load3(texels + 3 * (y0 * width + x1));
    p->c = load3(texels + 3 * (y1 * width + x0));
    p->d = load3(texels + 3 * (y1 * width + x1));
}

// Radiance: bilinear.
EX_INLINE vec3 patch_radiance(const Patch *p) {
    vec3 top = fma3(subtract3(p->b, p->a), p->fx, p->a);
    vec3 bottom = fma3(subtract3(p->d, p->c), p->fx, p->c);
    return fma3(subtract3(bottom, top), p->fy, top);
}

// How bright a texel is beside the brightest one: what directions are drawn by.
EX_INLINE float brightness(float scale, vec3 texel) {
    float bright = luminance(texel) * scale;
    return bright > 0x1p-30f ? bright : 0.0f;
}

// Density per solid angle of drawing a direction, once the environment is asked: as bright as the
// patch there, but for the sine, which is the middle's all over a row.
EX_INLINE float patch_density(__global const uint *blob, const Patch *p, float sine) {
    float scale = as_float(blob[H_ENV_SCALE]);
    float a = brightness(scale, p->a), b = brightness(scale, p->b);
    float c = brightness(scale, p->c), d = brightness(scale, p->d);
    float top = fma(b - a, p->fx, a), bottom = fma(d - c, p->fx, c);
    float bright = fma(bottom - top, p->fy, top);
    float row_sine = as_float(SECTION(blob, S_ENV_ROWS)[(int)blob[H_ENV_HEIGHT] + 1 + p->row]);
    float floor_sine = sine > 0x1p-20f ? sine : 0x1p-20f;
    return ex_div(bright * row_sine * as_float(blob[H_ENV_DENSITY]), floor_sine);
}

// The first entry of `table` above `bits`, how far `bits` lies inside it, and how wide it is.
EX_INLINE uint table_pick(
    __global const uint *table, uint count, uint bits, uint *inside, uint *width) {
    uint low = 0, high = count - 1;
    while (low < high) {
        uint middle = (low + high) >> 1;
        if (table[middle] > bits) high = middle;
        else low = middle + 1;
    }
    uint start = low == 0u ? 0u : table[low - 1];
    *inside = bits - start;
    *width = table[low] - start;
    return low;
}

// A patch that was drawn, and the place in it.
typedef struct {
    uint x, y; // of the texel right of it and below
    uint inside_x, inside_y;
    uint width_x, width_y;
} Cell;

// Draws a row of patches, and a patch in it. There is one row more than of texels: half a row at
// each pole.
EX_INLINE void environment_pick(__global const uint *blob, bit_pair bits, Cell *cell) {
    uint width = blob[H_ENV_WIDTH], rows = blob[H_ENV_HEIGHT] + 1u;
    cell->y = table_pick(
        SECTION(blob, S_ENV_ROWS), rows, bits.y, &cell->inside_y, &cell->width_y);
    cell->x = table_pick(
        SECTION(blob, S_ENV_COLUMNS) + cell->y * width, width, bits.x, &cell->inside_x,
        &cell->width_x);
}

EX_INLINE float part_inside(uint inside, uint width) {
    float within = ex_div((float)inside, (float)width);
    return within < 0x1.fffffep-1f ? within : 0x1.fffffep-1f;
}

// Where `share` of the area lies under a straight line from `low` at 0 to `high` at 1.
EX_INLINE float place_under_line(float low, float high, float share) {
    float root = low + ex_sqrt(fma(fma(high, high, -(low * low)), share, low * low));
    float place = root > 0x1p-36f ? ex_div(share * (low + high), root) : share;
    return place < 0x1.fffffep-1f ? place : 0x1.fffffep-1f;
}

// Texture coordinates of a place in a patch.
EX_INLINE vec2 patch_place(const Cell *cell, float fx, float fy, uint width, uint height) {
    float x = (float)cell->x + (fx - 0.5f);
    x = x < 0.0f ? x + (float)width : x;
    float y = cell->y == 0u ? fy * 0.5f
        : (float)cell->y + (cell->y == height ? fma(fy, 0.5f, -0.5f) : fy - 0.5f);
    return make2(
        unit_coordinate(ex_div(x, (float)width)), unit_coordinate(ex_div(y, (float)height)));
}

// The direction of a place in a patch, with the patch, and its density.
EX_INLINE vec3 environment_at(
    __global const uint *blob, const Cell *cell, Patch *p, float *density) {
    __global const uint *texels = SECTION(blob, S_ENV_TEXELS);
    uint width = blob[H_ENV_WIDTH], height = blob[H_ENV_HEIGHT];
    float scale = as_float(blob[H_ENV_SCALE]);
    uint x0 = cell->x == 0u ? width - 1u : cell->x - 1u;
    uint y0 = cell->y == 0u ? 0u : cell->y - 1u, y1 = cell->y < height ? cell->y : height - 1u;
    float a = brightness(scale, load3(texels + 3 * (y0 * width + x0)));
    float b = brightness(scale, load3(texels + 3 * (y0 * width + cell->x)));
    float c = brightness(scale, load3(texels + 3 * (y1 * width + x0)));
    float d = brightness(scale, load3(texels + 3 * (y1 * width + cell->x)));
    float fy = place_under_line(a + b, c + d, part_inside(cell->inside_y, cell->width_y));
    float left = fma(c - a, fy, a), right = fma(d - b, fy, b);
    float fx = place_under_line(left, right, part_inside(cell->inside_x, cell->width_x));
    vec2 uv = patch_place(cell, fx, fy, width, height);
    vec2 around = unit_circle(uv.x), down = unit_circle(uv.y * 0.5f);
    float sine = down.y > 0.0f ? down.y : 0.0f;
    environment_patch(blob, uv, p);
    *density = patch_density(blob, p, sine);
    return make3(-around.x * sine, down.x, -around.y * sine);
}
