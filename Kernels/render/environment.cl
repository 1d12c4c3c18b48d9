// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// Light from all around: an equirectangular picture, and a table of cells to draw directions from.
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

// Radiance from texture coordinates: bilinear, around the seam, held at the poles.
EX_INLINE vec3 environment_radiance(__global const uint *blob, vec2 uv) {
    __global const uint *texels = SECTION(blob, S_ENV_TEXELS);
    int width = (int)blob[H_ENV_WIDTH], height = (int)blob[H_ENV_HEIGHT];
    float px = fma(uv.x, (float)width, -0.5f), py = fma(uv.y, (float)height, -0.5f);
    float fx = floor(px), fy = floor(py);
    int x0 = (int)fx, y0 = (int)fy;
    int x1 = x0 + 1 >= width ? 0 : x0 + 1;
    int y1 = y0 + 1 >= height ? height - 1 : y0 + 1;
    x0 = x0 < 0 ? width - 1 : x0;
    y0 = y0 < 0 ? 0 : y0;
    vec3 a = load3(texels + 3 * (y0 * width + x0));
    vec3 b = load3(texels + 3 * (y0 * width + x1));
    vec3 c = load3(texels + 3 * (y1 * width + x0));
    vec3 d = load3(texels + 3 * (y1 * width + x1));
    vec3 top = fma3(subtract3(b, a), px - fx, a), bottom = fma3(subtract3(d, c), px - fx, c);
    return fma3(subtract3(bottom, top), py - fy, top);
}

// The share of `table` (running totals, the last 2^32 - 1) that belongs to `at`.
EX_INLINE uint table_share(__global const uint *table, uint at) {
    return table[at] - (at == 0u ? 0u : table[at - 1]);
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

// Density per solid angle of the draw below, without the chance of asking the environment.
EX_INLINE float environment_density(__global const uint *blob, vec2 uv, float sine) {
    uint wide = blob[H_CELLS_WIDE], high = blob[H_CELLS_HIGH];
    uint x = (uint)(uv.x * (float)wide), y = (uint)(uv.y * (float)high);
    x = x < wide ? x : wide - 1u;
    y = y < high ? y : high - 1u;
    float row = (float)table_share(SECTION(blob, S_ENV_ROWS), y) * 0x1p-32f;
    float cell = (float)table_share(SECTION(blob, S_ENV_COLUMNS) + y * wide, x) * 0x1p-32f;
    float floor_sine = sine > 0x1p-20f ? sine : 0x1p-20f;
    return ex_div(row * cell * as_float(blob[H_CELL_DENSITY]), floor_sine);
}

// A cell that was drawn, and the place in it.
typedef struct {
    uint x, y;
    uint inside_x, inside_y;
    uint width_x, width_y;
} Cell;

// Draws a row of cells, a cell in it, a place in the cell.
EX_INLINE void environment_pick(__global const uint *blob, bit_pair bits, Cell *cell) {
    uint wide = blob[H_CELLS_WIDE], high = blob[H_CELLS_HIGH];
    cell->y = table_pick(
        SECTION(blob, S_ENV_ROWS), high, bits.y, &cell->inside_y, &cell->width_y);
    cell->x = table_pick(
        SECTION(blob, S_ENV_COLUMNS) + cell->y * wide, wide, bits.x, &cell->inside_x,
        &cell->width_x);
}

EX_INLINE float cell_place(uint cell, uint inside, uint width, uint count) {
    float within = ex_div((float)inside, (float)width);
    within = within < 0x1.fffffep-1f ? within : 0x1.fffffep-1f;
    return ex_div((float)cell + within, (float)count);
}

// The direction of a place in a cell.
EX_INLINE vec3 environment_at(
    __global const uint *blob, const Cell *cell, vec2 *uv, float *density) {
    *uv = make2(
        cell_place(cell->x, cell->inside_x, cell->width_x, blob[H_CELLS_WIDE]),
        cell_place(cell->y, cell->inside_y, cell->width_y, blob[H_CELLS_HIGH]));
    vec2 around = unit_circle(uv->x), down = unit_circle(uv->y * 0.5f);
    float sine = down.y > 0.0f ? down.y : 0.0f;
    *density = environment_density(blob, *uv, sine);
    return make3(-around.x * sine, down.x, -around.y * sine);
}
