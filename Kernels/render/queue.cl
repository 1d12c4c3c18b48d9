// Queues of path slots, and loops over them.
//
// A work-item of a stage takes PATHS_PER_ITEM paths, one after the other in the source. Where
// vectors are wide, that is a block whose loop the compiler turns into vector code, sixteen paths
// side by side; else it is one.

#define SLOT_NONE 0xffffffffu

#ifdef RIGOR_NARROW
#define PATHS_PER_ITEM 1u
#define PATH_LOOP
#else
#define PATHS_PER_ITEM 64u
// No path reads what another one writes.
#define PATH_LOOP _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#endif

// The part of 0..<count that this work-item takes.
EX_INLINE uint first_path(uint count) {
    uint first = (uint)get_global_id(0) * PATHS_PER_ITEM;
    return first < count ? first : count;
}

EX_INLINE uint end_of_paths(uint first, uint count) {
    return count - first < PATHS_PER_ITEM ? count : first + PATHS_PER_ITEM;
}

// Appends the marked slots to `queue`, whose length is the one word that all work-items share: one
// atomic a block or a group. All items of a group must come here; `group` has two words of local
// memory.
EX_INLINE void append(
    const uint *marks, uint count, __global uint *queue, __global uint *length,
    __local uint *group) {
#ifdef RIGOR_NARROW
    bool is_wanted = count > 0u && marks[0] != SLOT_NONE;
    if (get_local_id(0) == 0u) group[0] = 0u;
    barrier(CLK_LOCAL_MEM_FENCE);
    uint place = is_wanted ? atomic_inc(group) : 0u;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (get_local_id(0) == 0u) group[1] = atomic_add(length, group[0]);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (is_wanted) queue[group[1] + place] = marks[0];
    barrier(CLK_LOCAL_MEM_FENCE);
#else
    uint kept[PATHS_PER_ITEM];
    uint wanted = 0u;
    for (uint i = 0u; i < count; ++i) {
        kept[wanted] = marks[i];
        wanted += marks[i] != SLOT_NONE ? 1u : 0u;
    }
    if (wanted == 0u) return;
    __global uint *end = queue + atomic_add(length, wanted);
    for (uint i = 0u; i < wanted; ++i) end[i] = kept[i];
#endif
}
