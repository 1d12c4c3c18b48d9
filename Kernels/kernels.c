#include "kernels.h"

// One block per file; the table below must name every one (the tidy test counts them).
static const char bench_function[] = {
#embed "bench/function.cl" suffix(, 0)
};
static const char bench_memory[] = {
#embed "bench/memory.cl" suffix(, 0)
};
static const char bench_peak[] = {
#embed "bench/peak.cl" suffix(, 0)
};
static const char certify_arithmetic[] = {
#embed "certify/arithmetic.cl" suffix(, 0)
};
static const char certify_convert[] = {
#embed "certify/convert.cl" suffix(, 0)
};
static const char certify_divide[] = {
#embed "certify/divide.cl" suffix(, 0)
};
static const char certify_integer[] = {
#embed "certify/integer.cl" suffix(, 0)
};
static const char certify_item[] = {
#embed "certify/item.cl" suffix(, 0)
};
static const char certify_memory[] = {
#embed "certify/memory.cl" suffix(, 0)
};
static const char certify_narrow[] = {
#embed "certify/narrow.cl" suffix(, 0)
};
static const char certify_native[] = {
#embed "certify/native.cl" suffix(, 0)
};
static const char exact_builtins[] = {
#embed "exact/builtins.cl" suffix(, 0)
};
static const char exact_divide[] = {
#embed "exact/divide.cl" suffix(, 0)
};
static const char exact_error[] = {
#embed "exact/error.cl" suffix(, 0)
};
static const char exact_exponential[] = {
#embed "exact/exponential.cl" suffix(, 0)
};
static const char exact_fma[] = {
#embed "exact/fma.cl" suffix(, 0)
};
static const char exact_hyperbolic[] = {
#embed "exact/hyperbolic.cl" suffix(, 0)
};
static const char exact_inverse[] = {
#embed "exact/inverse.cl" suffix(, 0)
};
static const char exact_inverse_hyperbolic[] = {
#embed "exact/inverse_hyperbolic.cl" suffix(, 0)
};
static const char exact_logarithm[] = {
#embed "exact/logarithm.cl" suffix(, 0)
};
static const char exact_narrow[] = {
#embed "exact/narrow.cl" suffix(, 0)
};
static const char exact_power[] = {
#embed "exact/power.cl" suffix(, 0)
};
static const char exact_prelude[] = {
#embed "exact/prelude.cl" suffix(, 0)
};
static const char exact_random[] = {
#embed "exact/random.cl" suffix(, 0)
};
static const char exact_root[] = {
#embed "exact/root.cl" suffix(, 0)
};
static const char exact_trigonometric[] = {
#embed "exact/trigonometric.cl" suffix(, 0)
};
static const char inference_activate[] = {
#embed "inference/activate.cl" suffix(, 0)
};
static const char inference_cast[] = {
#embed "inference/cast.cl" suffix(, 0)
};
static const char inference_cell[] = {
#embed "inference/cell.cl" suffix(, 0)
};
static const char inference_chain[] = {
#embed "inference/chain.cl" suffix(, 0)
};
static const char inference_convolve[] = {
#embed "inference/convolve.cl" suffix(, 0)
};
static const char inference_convolve_lanes[] = {
#embed "inference/convolve_lanes.cl" suffix(, 0)
};
static const char inference_convolve_pool[] = {
#embed "inference/convolve_pool.cl" suffix(, 0)
};
static const char inference_convolve_tail[] = {
#embed "inference/convolve_tail.cl" suffix(, 0)
};
static const char inference_copy[] = {
#embed "inference/copy.cl" suffix(, 0)
};
static const char inference_dot[] = {
#embed "inference/dot.cl" suffix(, 0)
};
static const char inference_dot_convolve[] = {
#embed "inference/dot_convolve.cl" suffix(, 0)
};
static const char inference_elementwise[] = {
#embed "inference/elementwise.cl" suffix(, 0)
};
static const char inference_functions[] = {
#embed "inference/functions.cl" suffix(, 0)
};
static const char inference_gemm[] = {
#embed "inference/gemm.cl" suffix(, 0)
};
static const char inference_gemm_tile[] = {
#embed "inference/gemm_tile.cl" suffix(, 0)
};
static const char inference_tile[] = {
#embed "inference/tile.cl" suffix(, 0)
};
static const char inference_integer[] = {
#embed "inference/integer.cl" suffix(, 0)
};
static const char inference_layout[] = {
#embed "inference/layout.cl" suffix(, 0)
};
static const char inference_move[] = {
#embed "inference/move.cl" suffix(, 0)
};
static const char inference_normalize[] = {
#embed "inference/normalize.cl" suffix(, 0)
};
static const char inference_normalize_lanes[] = {
#embed "inference/normalize_lanes.cl" suffix(, 0)
};
static const char inference_order[] = {
#embed "inference/order.cl" suffix(, 0)
};
static const char inference_pack[] = {
#embed "inference/pack.cl" suffix(, 0)
};
static const char inference_planes[] = {
#embed "inference/planes.cl" suffix(, 0)
};
static const char inference_pool[] = {
#embed "inference/pool.cl" suffix(, 0)
};
static const char inference_spread[] = {
#embed "inference/spread.cl" suffix(, 0)
};
static const char inference_tape[] = {
#embed "inference/tape.cl" suffix(, 0)
};
static const char inference_tape_functions[] = {
#embed "inference/tape_functions.cl" suffix(, 0)
};
static const char inference_unpool[] = {
#embed "inference/unpool.cl" suffix(, 0)
};
static const char inference_pool_maxima[] = {
#embed "inference/pool_maxima.cl" suffix(, 0)
};
static const char inference_pool_strips[] = {
#embed "inference/pool_strips.cl" suffix(, 0)
};
static const char inference_random[] = {
#embed "inference/random.cl" suffix(, 0)
};
static const char inference_reduce[] = {
#embed "inference/reduce.cl" suffix(, 0)
};
static const char inference_reduce_lanes[] = {
#embed "inference/reduce_lanes.cl" suffix(, 0)
};
static const char inference_requantize[] = {
#embed "inference/requantize.cl" suffix(, 0)
};
static const char inference_rows[] = {
#embed "inference/rows.cl" suffix(, 0)
};
static const char inference_window[] = {
#embed "inference/window.cl" suffix(, 0)
};
static const char render_accumulate[] = {
#embed "render/accumulate.cl" suffix(, 0)
};
static const char render_aov[] = {
#embed "render/aov.cl" suffix(, 0)
};
static const char render_bsdf[] = {
#embed "render/bsdf.cl" suffix(, 0)
};
static const char render_camera[] = {
#embed "render/camera.cl" suffix(, 0)
};
static const char render_closest[] = {
#embed "render/closest.cl" suffix(, 0)
};
static const char render_density[] = {
#embed "render/density.cl" suffix(, 0)
};
static const char render_environment[] = {
#embed "render/environment.cl" suffix(, 0)
};
static const char render_film[] = {
#embed "render/film.cl" suffix(, 0)
};
static const char render_instance[] = {
#embed "render/instance.cl" suffix(, 0)
};
static const char render_layered[] = {
#embed "render/layered.cl" suffix(, 0)
};
static const char render_layers[] = {
#embed "render/layers.cl" suffix(, 0)
};
static const char render_layout[] = {
#embed "render/layout.cl" suffix(, 0)
};
static const char render_light[] = {
#embed "render/light.cl" suffix(, 0)
};
static const char render_light_tree[] = {
#embed "render/light_tree.cl" suffix(, 0)
};
static const char render_media[] = {
#embed "render/media.cl" suffix(, 0)
};
static const char render_meeting[] = {
#embed "render/meeting.cl" suffix(, 0)
};
static const char render_occlusion[] = {
#embed "render/occlusion.cl" suffix(, 0)
};
static const char render_rays[] = {
#embed "render/rays.cl" suffix(, 0)
};
static const char render_packet[] = {
#embed "render/packet.cl" suffix(, 0)
};
static const char render_queue[] = {
#embed "render/queue.cl" suffix(, 0)
};
static const char render_random[] = {
#embed "render/random.cl" suffix(, 0)
};
static const char render_scatter[] = {
#embed "render/scatter.cl" suffix(, 0)
};
static const char render_surface[] = {
#embed "render/surface.cl" suffix(, 0)
};
static const char render_texture[] = {
#embed "render/texture.cl" suffix(, 0)
};
static const char render_traverse[] = {
#embed "render/traverse.cl" suffix(, 0)
};
static const char render_triangle[] = {
#embed "render/triangle.cl" suffix(, 0)
};
static const char render_vector[] = {
#embed "render/vector.cl" suffix(, 0)
};
static const char toy_hash[] = {
#embed "toy/hash.cl" suffix(, 0)
};

#define FILE_ENTRY(path, symbol) {path, symbol, sizeof symbol - 1}
static const rigor_kernel_file files[] = {
    FILE_ENTRY("bench/function.cl", bench_function),
    FILE_ENTRY("bench/memory.cl", bench_memory),
    FILE_ENTRY("bench/peak.cl", bench_peak),
    FILE_ENTRY("certify/arithmetic.cl", certify_arithmetic),
    FILE_ENTRY("certify/convert.cl", certify_convert),
    FILE_ENTRY("certify/divide.cl", certify_divide),
    FILE_ENTRY("certify/integer.cl", certify_integer),
    FILE_ENTRY("certify/item.cl", certify_item),
    FILE_ENTRY("certify/memory.cl", certify_memory),
    FILE_ENTRY("certify/narrow.cl", certify_narrow),
    FILE_ENTRY("certify/native.cl", certify_native),
    FILE_ENTRY("exact/builtins.cl", exact_builtins),
    FILE_ENTRY("exact/divide.cl", exact_divide),
    FILE_ENTRY("exact/error.cl", exact_error),
    FILE_ENTRY("exact/exponential.cl", exact_exponential),
    FILE_ENTRY("exact/fma.cl", exact_fma),
    FILE_ENTRY("exact/hyperbolic.cl", exact_hyperbolic),
    FILE_ENTRY("exact/inverse.cl", exact_inverse),
    FILE_ENTRY("exact/inverse_hyperbolic.cl", exact_inverse_hyperbolic),
    FILE_ENTRY("exact/logarithm.cl", exact_logarithm),
    FILE_ENTRY("exact/narrow.cl", exact_narrow),
    FILE_ENTRY("exact/power.cl", exact_power),
    FILE_ENTRY("exact/prelude.cl", exact_prelude),
    FILE_ENTRY("exact/random.cl", exact_random),
    FILE_ENTRY("exact/root.cl", exact_root),
    FILE_ENTRY("exact/trigonometric.cl", exact_trigonometric),
    FILE_ENTRY("inference/activate.cl", inference_activate),
    FILE_ENTRY("inference/cast.cl", inference_cast),
    FILE_ENTRY("inference/cell.cl", inference_cell),
    FILE_ENTRY("inference/chain.cl", inference_chain),
    FILE_ENTRY("inference/convolve.cl", inference_convolve),
    FILE_ENTRY("inference/convolve_lanes.cl", inference_convolve_lanes),
    FILE_ENTRY("inference/convolve_pool.cl", inference_convolve_pool),
    FILE_ENTRY("inference/convolve_tail.cl", inference_convolve_tail),
    FILE_ENTRY("inference/copy.cl", inference_copy),
    FILE_ENTRY("inference/dot.cl", inference_dot),
    FILE_ENTRY("inference/dot_convolve.cl", inference_dot_convolve),
    FILE_ENTRY("inference/elementwise.cl", inference_elementwise),
    FILE_ENTRY("inference/functions.cl", inference_functions),
    FILE_ENTRY("inference/gemm.cl", inference_gemm),
    FILE_ENTRY("inference/gemm_tile.cl", inference_gemm_tile),
    FILE_ENTRY("inference/tile.cl", inference_tile),
    FILE_ENTRY("inference/integer.cl", inference_integer),
    FILE_ENTRY("inference/layout.cl", inference_layout),
    FILE_ENTRY("inference/move.cl", inference_move),
    FILE_ENTRY("inference/normalize.cl", inference_normalize),
    FILE_ENTRY("inference/normalize_lanes.cl", inference_normalize_lanes),
    FILE_ENTRY("inference/order.cl", inference_order),
    FILE_ENTRY("inference/pack.cl", inference_pack),
    FILE_ENTRY("inference/planes.cl", inference_planes),
    FILE_ENTRY("inference/pool.cl", inference_pool),
    FILE_ENTRY("inference/pool_maxima.cl", inference_pool_maxima),
    FILE_ENTRY("inference/pool_strips.cl", inference_pool_strips),
    FILE_ENTRY("inference/spread.cl", inference_spread),
    FILE_ENTRY("inference/tape.cl", inference_tape),
    FILE_ENTRY("inference/tape_functions.cl", inference_tape_functions),
    FILE_ENTRY("inference/unpool.cl", inference_unpool),
    FILE_ENTRY("inference/random.cl", inference_random),
    FILE_ENTRY("inference/reduce.cl", inference_reduce),
    FILE_ENTRY("inference/reduce_lanes.cl", inference_reduce_lanes),
    FILE_ENTRY("inference/requantize.cl", inference_requantize),
    FILE_ENTRY("inference/rows.cl", inference_rows),
    FILE_ENTRY("inference/window.cl", inference_window),
    FILE_ENTRY("render/accumulate.cl", render_accumulate),
    FILE_ENTRY("render/aov.cl", render_aov),
    FILE_ENTRY("render/bsdf.cl", render_bsdf),
    FILE_ENTRY("render/camera.cl", render_camera),
    FILE_ENTRY("render/closest.cl", render_closest),
    FILE_ENTRY("render/density.cl", render_density),
    FILE_ENTRY("render/environment.cl", render_environment),
    FILE_ENTRY("render/film.cl", render_film),
    FILE_ENTRY("render/instance.cl", render_instance),
    FILE_ENTRY("render/layered.cl", render_layered),
    FILE_ENTRY("render/layers.cl", render_layers),
    FILE_ENTRY("render/layout.cl", render_layout),
    FILE_ENTRY("render/light.cl", render_light),
    FILE_ENTRY("render/light_tree.cl", render_light_tree),
    FILE_ENTRY("render/media.cl", render_media),
    FILE_ENTRY("render/meeting.cl", render_meeting),
    FILE_ENTRY("render/occlusion.cl", render_occlusion),
    FILE_ENTRY("render/packet.cl", render_packet),
    FILE_ENTRY("render/rays.cl", render_rays),
    FILE_ENTRY("render/queue.cl", render_queue),
    FILE_ENTRY("render/random.cl", render_random),
    FILE_ENTRY("render/scatter.cl", render_scatter),
    FILE_ENTRY("render/surface.cl", render_surface),
    FILE_ENTRY("render/texture.cl", render_texture),
    FILE_ENTRY("render/traverse.cl", render_traverse),
    FILE_ENTRY("render/triangle.cl", render_triangle),
    FILE_ENTRY("render/vector.cl", render_vector),
    FILE_ENTRY("toy/hash.cl", toy_hash),
};

const rigor_kernel_file *rigor_kernel_files(size_t *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
