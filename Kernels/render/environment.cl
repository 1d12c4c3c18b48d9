// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl
// Light from all around: an equirectangular picture, and a table of cells to draw directions from.
// u = 1/2 + atan2(z, x) / 2π and v = acos(y) / π, so the picture's middle lies toward +x and its
// right half toward +z.

EX_INLINE float2 environment_uv(float3 d) {
    float u = fma(ex_atan2(d.z, d.x), 0x1.45f306p-3f, 0.5f);
    float y = d.y > 1.0f ? 1.0f : (d.y < -1.0f ? -1.0f : d.y);
    float v = ex_acos(y) * 0x1.45f306p-2f;
    return (float2)(u < 0.0f ? 0.0f : (u > 0x1.fffffep-1f ? 0x1.fffffep-1f : u),
        v > 0x1.fffffep-1f ? 0x1.fffffep-1f : v);
}

// Radiance from texture coordinates: bilinear, around the seam, held at the poles.
EX_INLINE float3 environment_radiance(__global const uint *blob, float2 uv) {
    __global const uint *texels = SECTION(blob, S_ENV_TEXELS);
    int width = (int)blob[H_ENV_WIDTH], height = (int)blob[H_ENV_HEIGHT];
    float px = fma(uv.x, (float)width, -0.5f), py = fma(uv.y, (float)height, -0.5f);
    float fx = floor(px), fy = floor(py);
    int x0 = (int)fx, y0 = (int)fy;
    int x1 = x0 + 1 >= width ? 0 : x0 + 1;
    int y1 = y0 + 1 >= height ? height - 1 : y0 + 1;
    x0 = x0 < 0 ? width - 1 : x0;
    y0 = y0 < 0 ? 0 : y0;
    float3 a = blob_float3(texels + 3 * (y0 * width + x0));
    float3 b = blob_float3(texels + 3 * (y0 * width + x1));
    float3 c = blob_float3(texels + 3 * (y1 * width + x0));
    float3 d = blob_float3(texels + 3 * (y1 * width + x1));
    float3 tx = (float3)(px - fx), ty = (float3)(py - fy);
    float3 top = fma(b - a, tx, a), bottom = fma(d - c, tx, c);
    return fma(bottom - top, ty, top);
}

// The share of `table` (running totals, the last 2^32 - 1) that belongs to `at`.
EX_INLINE uint table_share(__global const uint *table, uint at) {
    return table[at] - (at == 0u ? 0u : table[at - 1]);
}

// The first entry of `table` above `bits`, and where `bits` lies inside it, in [0, 1).
EX_INLINE uint table_pick(__global const uint *table, uint count, uint bits, float *within) {
    uint low = 0, high = count - 1;
    while (low < high) {
        uint middle = (low + high) >> 1;
        if (table[middle] > bits) high = middle;
        else low = middle + 1;
    }
    uint start = low == 0u ? 0u : table[low - 1];
    float place = ex_div((float)(bits - start), (float)(table[low] - start));
    *within = place < 0x1.fffffep-1f ? place : 0x1.fffffep-1f;
    return low;
}

// Density per solid angle of the draw below, without the chance of asking the environment.
EX_INLINE float environment_density(__global const uint *blob, float2 uv, float sine) {
    uint wide = blob[H_CELLS_WIDE], high = blob[H_CELLS_HIGH];
    uint x = (uint)(uv.x * (float)wide), y = (uint)(uv.y * (float)high);
    x = x < wide ? x : wide - 1u;
    y = y < high ? y : high - 1u;
    float row = (float)table_share(SECTION(blob, S_ENV_ROWS), y) * 0x1p-32f;
    float cell = (float)table_share(SECTION(blob, S_ENV_COLUMNS) + y * wide, x) * 0x1p-32f;
    float floor_sine = sine > 0x1p-20f ? sine : 0x1p-20f;
    return ex_div(row * cell * as_float(blob[H_CELL_DENSITY]), floor_sine);
}

// Draws a direction: a row of cells, a cell in it, a place in the cell.
EX_INLINE float3 environment_sample(
    __global const uint *blob, uint2 bits, float2 *uv, float *density) {
    uint wide = blob[H_CELLS_WIDE], high = blob[H_CELLS_HIGH];
    float in_x, in_y;
    uint y = table_pick(SECTION(blob, S_ENV_ROWS), high, bits.y, &in_y);
    uint x = table_pick(SECTION(blob, S_ENV_COLUMNS) + y * wide, wide, bits.x, &in_x);
    *uv = (float2)(ex_div((float)x + in_x, (float)wide), ex_div((float)y + in_y, (float)high));
    float2 around = unit_circle(uv->x), down = unit_circle(uv->y * 0.5f);
    float sine = down.y > 0.0f ? down.y : 0.0f;
    *density = environment_density(blob, *uv, sine);
    return (float3)(-around.x * sine, down.x, -around.y * sine);
}
