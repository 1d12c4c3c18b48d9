// Before other files: makes functions of the kernels that a tape runs (see tape.cl), which are told
// their place. Kernels named nowhere here stay unused.
#define __kernel EX_APART
#define TAPE_PLACE                                                                               \
  const int tape_run, const size_t tape_id0, const size_t tape_id1, const size_t tape_id2,       \
      const size_t tape_size0, const size_t tape_size1, const size_t tape_size2
#define get_global_id(axis) tape_id##axis
#define get_global_size(axis) tape_size##axis
// Neighbours along the first axis that one call computes, in kernels that can.
#define GROUP_RUN tape_run

// For kernels that are not run.
__constant size_t tape_id0 = 0, tape_id1 = 0, tape_id2 = 0;
__constant size_t tape_size0 = 0, tape_size1 = 0, tape_size2 = 0;

#define chain(...) tape_chain(TAPE_PLACE, __VA_ARGS__)
#define conv_depthwise_strips(...) tape_conv_depthwise_strips(TAPE_PLACE, __VA_ARGS__)
#define conv_direct(...) tape_conv_direct(TAPE_PLACE, __VA_ARGS__)
#define conv_lanes(...) tape_conv_lanes(TAPE_PLACE, __VA_ARGS__)
#define conv_place(...) tape_conv_place(TAPE_PLACE, __VA_ARGS__)
#define conv_pool(...) tape_conv_pool(TAPE_PLACE, __VA_ARGS__)
#define copy_rows(...) tape_copy_rows(TAPE_PLACE, __VA_ARGS__)
#define dot_product(...) tape_dot_product(TAPE_PLACE, __VA_ARGS__)
#define dot_row(...) tape_dot_row(TAPE_PLACE, __VA_ARGS__)
#define dot_tiles(...) tape_dot_tiles(TAPE_PLACE, __VA_ARGS__)
#define gemm(...) tape_gemm(TAPE_PLACE, __VA_ARGS__)
#define gemm_pack(...) tape_gemm_pack(TAPE_PLACE, __VA_ARGS__)
#define gemm_row(...) tape_gemm_row(TAPE_PLACE, __VA_ARGS__)
#define gemm_rows(...) tape_gemm_rows(TAPE_PLACE, __VA_ARGS__)
#define normalize_rows(...) tape_normalize_rows(TAPE_PLACE, __VA_ARGS__)
#define planes_affine(...) tape_planes_affine(TAPE_PLACE, __VA_ARGS__)
#define pool_average_strips(...) tape_pool_average_strips(TAPE_PLACE, __VA_ARGS__)
#define pool_max_strips(...) tape_pool_max_strips(TAPE_PLACE, __VA_ARGS__)
#define rows_lrn(...) tape_rows_lrn(TAPE_PLACE, __VA_ARGS__)
#define rows_mean(...) tape_rows_mean(TAPE_PLACE, __VA_ARGS__)
#define rows_softmax(...) tape_rows_softmax(TAPE_PLACE, __VA_ARGS__)
#define rows_sum(...) tape_rows_sum(TAPE_PLACE, __VA_ARGS__)
#define window_spread(...) tape_window_spread(TAPE_PLACE, __VA_ARGS__)
