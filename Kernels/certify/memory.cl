// needs: certify/item.cl
// Local memory, barriers and integer atomics. Groups of 32 items.

// An inclusive prefix sum over each group, in five rounds between barriers.
__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void certify_local(__global const uint *in, __global uint *out, const uint count,
                   const float negative_zero, __local uint *scratch) {
    const uint i = get_global_id(0);
    const uint l = get_local_id(0);
    scratch[l] = i < count ? in[4 * i] : 0u;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint distance = 1u; distance < 32u; distance <<= 1u) {
        const uint left = l >= distance ? scratch[l - distance] : 0u;
        barrier(CLK_LOCAL_MEM_FENCE);
        scratch[l] += left;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (i < count) {
        out[2 * i] = scratch[l];
        out[2 * i + 1] = scratch[31u - l];
    }
}

// Every item adds to one of 32 sums and joins in 32 maxima, minima and unions: no order shows.
__kernel void certify_atomics(__global const uint *in, __global uint *out, const uint count,
                              const float negative_zero) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    const uint slot = 4u * (i & 31u);
    atomic_add((volatile __global int *)&out[slot], as_int(in[4 * i]));
    atomic_max((volatile __global uint *)&out[slot + 1u], in[4 * i + 1]);
    atomic_or((volatile __global uint *)&out[slot + 2u], in[4 * i + 2]);
    atomic_inc((volatile __global uint *)&out[slot + 3u]);
}

// 100,000 turns of a loop that cannot be folded away. Mesa's llvmpipe silently leaves a kernel's
// loops after 65,535 turns altogether.
__kernel void certify_long_loop(__global const uint *in, __global uint *out, const uint count,
                                const float negative_zero) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    uint x = in[4 * i];
    uint turns = 0u;
    if (i < 8u) {
        for (uint turn = 0u; turn < 100000u; turn++) {
            x = x * 1664525u + 1013904223u;
            turns += 1u;
        }
    }
    out[2 * i] = x;
    out[2 * i + 1] = turns;
}

// A counter of the group in local memory gives each item a place; the places of all items, in any
// order, add up. One item per group then hands the sum over.
__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void certify_local_atomics(__global const uint *in, __global uint *out, const uint count,
                           const float negative_zero, __local uint *scratch) {
    const uint i = get_global_id(0);
    const uint l = get_local_id(0);
    if (l < 2u) scratch[l] = 0u;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i < count) {
        const uint place = atomic_inc((volatile __local uint *)&scratch[0]);
        atomic_add((volatile __local uint *)&scratch[1], in[4 * i] + place);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l == 0u) {
        out[2 * get_group_id(0)] = scratch[0];
        out[2 * get_group_id(0) + 1u] = scratch[1];
    }
}
