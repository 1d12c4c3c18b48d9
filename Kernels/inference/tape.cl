// needs: inference/tape_functions.cl exact/divide.cl exact/root.cl exact/exponential.cl
// needs: exact/logarithm.cl exact/trigonometric.cl exact/power.cl exact/error.cl
// needs: exact/hyperbolic.cl inference/order.cl inference/chain.cl
// needs: inference/activate.cl inference/gemm_tile.cl inference/gemm.cl inference/pack.cl
// needs: inference/layout.cl inference/window.cl inference/spread.cl inference/convolve_tail.cl
// needs: inference/convolve.cl inference/convolve_lanes.cl inference/pool_maxima.cl
// needs: inference/convolve_pool.cl inference/pool_strips.cl inference/planes.cl
// needs: inference/reduce.cl inference/rows.cl inference/copy.cl inference/normalize.cl
// needs: inference/dot.cl
// defines: T=uint
// Launches one after another, as a tape of records, by one launch: a processor's launch costs some
// microseconds and wakes its other threads anew, which is as long as many a step of a small network
// takes. What the kernels compute is what they compute alone.
//
// Work-groups take tickets. Each ticket is some groups of one record's launch, and begins when all
// tickets of the records before are done. Records are gone through in order, so whoever waits,
// waits for a work-group that runs: any number of threads gets to the end, one alone as well.
//
// Each work-group has a part of every record's groups, neighbours that mostly lie where its part of
// the record before lies: a processor finds in its cache what it wrote there. A part's first ticket
// is half of it, the next one half of what is left, and so on: taking one costs as much as a tile
// of a small product. Who is done with its own part helps with another's.
//
// A record holds addresses, which is for implementations that compute in the host's memory.

// Words of a record, which arguments follow: those by value that are no number lie behind the
// records, as many words from the program's beginning as the argument says.
#define TAPE_WORDS 48
#define TAPE_KERNEL 0
#define TAPE_START 1 // the first ticket
#define TAPE_CUTS 2  // tickets of a part
#define TAPE_GROUPS 3
#define TAPE_ACROSS 4 // groups along the first axis, and along the second
#define TAPE_DOWN 5
#define TAPE_ITEMS 6 // work-items of a group, along the first axis
#define TAPE_SIZE 7  // work-items along each axis
#define TAPE_ARGUMENTS 10

// Counters in `state`, on lines of their own.
#define TAPE_TAKEN 0 // tickets, and above them the turn
#define TAPE_DONE 8
#define TAPE_LEFT 16
#define TAPE_DISMISSED 24 // not 0: who is idle leaves at once
#define TAPE_PARTS 32 // one for each work-group
#define TAPE_PART_WORDS 8
#define TAPE_PART_BITS 16 // more than a part has tickets
#define TAPE_CLOSED (1ul << 63) // in TAPE_TAKEN: there will be no other turn

// Who waits long lets others run: the thread that is waited for may be one of them.
#define TAPE_PATIENCE 1000
#define TAPE_MASK_WORDS 16 // of a set of processors
#if defined(__x86_64__) && defined(__linux__)
// Numbers of system calls.
#define TAPE_SCHED_YIELD 24
#define TAPE_SET_AFFINITY 203
#define TAPE_GET_AFFINITY 204
EX_INLINE long tape_call(long number, ulong first, ulong second, ulong third) {
  __asm__ __volatile__("syscall"
                       : "+a"(number)
                       : "D"(first), "S"(second), "d"(third)
                       : "rcx", "r11", "memory");
  return number;
}
EX_INLINE void tape_yield(void) { tape_call(TAPE_SCHED_YIELD, 0, 0, 0); }
// Keeps a thread to the processor that is its own, if there are as many as work-groups. Returns the
// bytes of `all`, where it might run before, or 0 where nothing was done.
EX_INLINE int tape_settle(ulong all[TAPE_MASK_WORDS], int worker, int workers) {
  ulong own[TAPE_MASK_WORDS];
  const int bytes = tape_call(TAPE_GET_AFFINITY, 0, TAPE_MASK_WORDS * 8, (ulong)all);
  int count = 0;
  for (int i = 0; i < bytes / 8; i++) {
    own[i] = 0;
    for (ulong left = all[i]; left != 0; left &= left - 1)
      if (count++ == worker) own[i] = left & -left;
  }
  if (count != workers) return 0;
  return tape_call(TAPE_SET_AFFINITY, 0, bytes, (ulong)own) == 0 ? bytes : 0;
}
EX_INLINE void tape_unsettle(ulong all[TAPE_MASK_WORDS], int bytes) {
  if (bytes > 0) tape_call(TAPE_SET_AFFINITY, 0, bytes, (ulong)all);
}
EX_INLINE void tape_wait(int turns) {
  if (turns < TAPE_PATIENCE)
    __asm__ __volatile__("pause");
  else
    tape_yield();
}
EX_INLINE ulong tape_ticks(ulong turns) {
  (void)turns;
  return __builtin_ia32_rdtsc();
}
#else
EX_INLINE void tape_yield(void) {}
EX_INLINE int tape_settle(ulong all[TAPE_MASK_WORDS], int worker, int workers) {
  (void)all, (void)worker, (void)workers;
  return 0;
}
EX_INLINE void tape_unsettle(ulong all[TAPE_MASK_WORDS], int bytes) { (void)all, (void)bytes; }
EX_INLINE void tape_wait(int turns) { (void)turns; }
EX_INLINE ulong tape_ticks(ulong turns) { return turns; }
#endif

#define TAPE_AT run, x, y, z, r[TAPE_SIZE], r[TAPE_SIZE + 1], r[TAPE_SIZE + 2]
#define TAPE_POINTER(type, i) ((__global type *)a[i])
#define TAPE_INT(i) ((int)a[i])
#define TAPE_FLOAT(i) as_float((uint)a[i])
#define TAPE_STRUCT(type, i) (*(__global const type *)(program + a[i]))

// What all kernels of convolutions by tiles take, and all of products by rows.
#define TAPE_CONVOLUTION                                                                          \
  TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_POINTER(float, 2),                \
      TAPE_POINTER(float, 3), TAPE_POINTER(uint, 4), TAPE_INT(5), TAPE_INT(6), TAPE_INT(7),       \
      TAPE_INT(8), TAPE_INT(9), TAPE_INT(10), TAPE_INT(11), TAPE_INT(12), a[13], a[14], a[15],    \
      a[16], TAPE_INT(17), TAPE_INT(18), TAPE_FLOAT(19), TAPE_FLOAT(20), TAPE_POINTER(float, 21), \
      TAPE_INT(22), TAPE_INT(23), TAPE_POINTER(float, 24)
#define TAPE_PRODUCT                                                                            \
  TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_POINTER(float, 2),              \
      TAPE_POINTER(float, 3), TAPE_INT(4), TAPE_INT(5), TAPE_INT(6), TAPE_INT(7), TAPE_INT(8),  \
      a[9], a[10], a[11], a[12], TAPE_INT(13), TAPE_INT(14), TAPE_FLOAT(15), TAPE_FLOAT(16)

#define TAPE_DOT                                                                                 \
  TAPE_AT, TAPE_POINTER(uint, 0), TAPE_POINTER(uint, 1), TAPE_POINTER(uchar, 2),                 \
      TAPE_POINTER(uchar, 3), TAPE_POINTER(int, 4), TAPE_INT(5), TAPE_INT(6), TAPE_INT(7), a[8], \
      a[9], TAPE_INT(10), TAPE_INT(11), TAPE_INT(12), TAPE_INT(13), TAPE_INT(14)

// One work-item of a record's launch, or a run of neighbours.
EX_INLINE void tape_convolution(__global const ulong *program, __global const ulong *r, int run,
                                size_t x, size_t y, size_t z, __local float16 *shared) {
  __global const ulong *a = r + TAPE_ARGUMENTS;
  switch ((int)r[TAPE_KERNEL]) {
    case 1:
      tape_conv_depthwise_strips(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                                 TAPE_POINTER(float, 2), TAPE_POINTER(float, 3),
                                 TAPE_POINTER(uint, 4), TAPE_STRUCT(window_layout, 5),
                                 TAPE_INT(6), TAPE_INT(7), TAPE_INT(8), TAPE_INT(9),
                                 TAPE_INT(10), TAPE_INT(11), TAPE_FLOAT(12), TAPE_FLOAT(13),
                                 TAPE_POINTER(float, 14), TAPE_INT(15), TAPE_INT(16), (__local
                                 float *)shared);
      break;
    case 2: tape_conv_direct(TAPE_CONVOLUTION); break;
    case 3: tape_conv_lanes(TAPE_CONVOLUTION, TAPE_STRUCT(conv_edge, 25)); break;
    case 4:
      tape_conv_place(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                      TAPE_POINTER(float, 2), TAPE_POINTER(float, 3), TAPE_INT(4),
                      TAPE_INT(5), TAPE_INT(6), a[7], TAPE_INT(8), TAPE_INT(9),
                      TAPE_FLOAT(10), TAPE_FLOAT(11));
      break;
    case 16:
      tape_window_spread(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                         TAPE_STRUCT(window_layout, 2), TAPE_INT(3), a[4]);
      break;
    case 21:
      tape_conv_pool(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                     TAPE_POINTER(float, 2), TAPE_POINTER(float, 3), TAPE_POINTER(uint, 4),
                     TAPE_STRUCT(window_layout, 5), TAPE_STRUCT(window_shape, 6), TAPE_INT(7),
                     TAPE_INT(8), TAPE_INT(9), TAPE_INT(10), TAPE_INT(11), TAPE_INT(12),
                     TAPE_INT(13), TAPE_FLOAT(14), TAPE_FLOAT(15), TAPE_POINTER(float, 16),
                     TAPE_INT(17), TAPE_INT(18), (__local float *)shared);
      break;
  }
}

EX_INLINE void tape_product(__global const ulong *program, __global const ulong *r, int run,
                            size_t x, size_t y, size_t z, __local float16 *shared) {
  __global const ulong *a = r + TAPE_ARGUMENTS;
  switch ((int)r[TAPE_KERNEL]) {
    case 6: tape_gemm(TAPE_PRODUCT); break;
    case 7:
      tape_gemm_pack(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_INT(2),
                     TAPE_INT(3), TAPE_INT(4), a[5], a[6], a[7], a[8], a[9]);
      break;
    case 8: tape_gemm_rows(TAPE_PRODUCT, a[17], a[18]); break;
    case 17: tape_gemm_row(TAPE_PRODUCT, a[17], a[18]); break;
    case 19: tape_dot_product(TAPE_DOT); break;
    case 20: tape_dot_row(TAPE_DOT); break;
#if defined(RIGOR_AMX) && !defined(RIGOR_NARROW)
    case 22: tape_dot_tiles(TAPE_DOT); break;
#endif
    default: tape_convolution(program, r, run, x, y, z, shared);
  }
}

EX_INLINE void tape_item(__global const ulong *program, __global const ulong *r, int run,
                         size_t x, size_t y, size_t z, __local float16 *shared) {
  __global const ulong *a = r + TAPE_ARGUMENTS;
  switch ((int)r[TAPE_KERNEL]) {
    case 0:
      tape_chain(TAPE_AT, TAPE_POINTER(int, 0), TAPE_INT(1), TAPE_INT(2), TAPE_INT(3),
                 TAPE_POINTER(float, 4), TAPE_POINTER(float, 5), TAPE_POINTER(float, 6),
                 TAPE_POINTER(float, 7), TAPE_POINTER(float, 8), TAPE_POINTER(float, 9),
                 TAPE_POINTER(float, 10), TAPE_POINTER(float, 11));
      break;
    case 5:
      tape_copy_rows(TAPE_AT, TAPE_POINTER(uint, 0), TAPE_POINTER(uint, 1), TAPE_INT(2),
                     TAPE_INT(3), TAPE_INT(4), TAPE_INT(5), a[6], a[7], a[8], a[9], a[10],
                     a[11], a[12], a[13]);
      break;
    case 9:
      tape_planes_affine(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                         TAPE_POINTER(float, 2), TAPE_POINTER(float, 3), TAPE_POINTER(float,
                         4), TAPE_POINTER(float, 5), TAPE_INT(6), TAPE_INT(7), TAPE_INT(8),
                         TAPE_INT(9), TAPE_INT(10), TAPE_INT(11), TAPE_FLOAT(12),
                         TAPE_FLOAT(13));
      break;
    case 10:
      tape_pool_average_strips(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                               TAPE_POINTER(uint, 2), TAPE_STRUCT(window_layout, 3),
                               TAPE_STRUCT(average_window, 4), TAPE_INT(5), TAPE_INT(6),
                               (__local float *)shared);
      break;
    case 11:
      tape_pool_max_strips(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                           TAPE_STRUCT(window_shape, 2), TAPE_INT(3), TAPE_INT(4), TAPE_INT(5),
                           (__local int *)shared);
      break;
    case 12:
      tape_rows_lrn(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_INT(2),
                    TAPE_INT(3), TAPE_INT(4), TAPE_FLOAT(5), TAPE_FLOAT(6), TAPE_FLOAT(7));
      break;
    case 13:
      tape_rows_mean(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_INT(2),
                     TAPE_INT(3), TAPE_INT(4));
      break;
    case 14:
      tape_rows_softmax(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_INT(2),
                        TAPE_INT(3), TAPE_INT(4), TAPE_INT(5));
      break;
    case 15:
      tape_rows_sum(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1), TAPE_INT(2),
                    TAPE_INT(3), TAPE_INT(4));
      break;
    case 18:
      tape_normalize_rows(TAPE_AT, TAPE_POINTER(float, 0), TAPE_POINTER(float, 1),
                          TAPE_POINTER(float, 2), TAPE_POINTER(float, 3), TAPE_INT(4),
                          TAPE_INT(5), TAPE_INT(6), TAPE_FLOAT(7));
      break;
    default: tape_product(program, r, run, x, y, z, shared);
  }
}

// Whether a kernel computes GROUP_RUN neighbours by one call.
EX_INLINE bool tape_takes_runs(int number) {
  return number == 6 || number == 8 || number == 19;
}

// The `ticket`th of so many of a record.
EX_INLINE void tape_ticket(__global const ulong *program, __global const ulong *r, int ticket,
                           int tickets, __local float16 *shared) {
  const int cuts = (int)r[TAPE_CUTS], parts = tickets / cuts, part = ticket / cuts;
  const int cut = ticket - part * cuts;
  const ulong from = r[TAPE_GROUPS] * part / parts, to = r[TAPE_GROUPS] * (part + 1) / parts;
  const ulong first = to - ((to - from) >> cut);
  const ulong last = cut + 1 < cuts ? to - ((to - from) >> (cut + 1)) : to;
  const bool takesRuns = tape_takes_runs((int)r[TAPE_KERNEL]) && r[TAPE_ITEMS] == 1;
  ulong run = 1;
  for (ulong group = first; group < last; group += run) {
    const ulong row = group / r[TAPE_ACROSS], column = group - row * r[TAPE_ACROSS];
    const ulong x = column * r[TAPE_ITEMS];
    const ulong z = row / r[TAPE_DOWN], y = row - z * r[TAPE_DOWN];
    if (takesRuns) run = min(last - group, r[TAPE_ACROSS] - column);
    for (ulong i = 0; i < r[TAPE_ITEMS]; i++)
      tape_item(program, r, (int)run, x + i, y, z, shared);
  }
}

// The next ticket of a record, the `nth` of all turns, in a work-group's own part, or else in
// another's. Whoever comes here has been counted: there is one. A part's counter, above which is
// whose it is, may still be an earlier record's.
EX_INLINE int tape_part(__global ulong *state, ulong nth, int count, int worker, int workers) {
  const ulong here = (nth + 1) << TAPE_PART_BITS;
  for (int i = worker;; i = i + 1 == workers ? 0 : i + 1) {
    const int first = (long)count * i / workers, end = (long)count * (i + 1) / workers;
    __global ulong *part = state + TAPE_PARTS + TAPE_PART_WORDS * i;
    ulong seen = __atomic_load_n(part, __ATOMIC_RELAXED);
    while (true) {
      const ulong next = seen >> TAPE_PART_BITS == nth + 1 ? seen : here;
      const int taken = (int)(next - here);
      if (taken >= end - first) break;
      if (__atomic_compare_exchange_n(part, &seen, next + 1, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED))
        return first + taken;
    }
  }
}

// Counts tickets as done, which a work-group puts off while it has others of the same record.
EX_INLINE void tape_count(__global ulong *state, ulong *owed) {
  if (*owed > 0) __atomic_fetch_add(state + TAPE_DONE, *owed, __ATOMIC_RELEASE);
  *owed = 0;
}

// Waits for another turn, for as many ticks as `patience` says: whether there is one. Whoever's
// patience ends first closes the tape, so that either all work-groups may come to a turn or none.
EX_INLINE bool tape_stays(__global ulong *state, ulong turn, ulong patience) {
  const ulong start = tape_ticks(0);
  for (ulong i = 1;; i++) {
    ulong taken = __atomic_load_n(state + TAPE_TAKEN, __ATOMIC_ACQUIRE);
    if (taken & TAPE_CLOSED) return false;
    if (taken >> 32 != turn) return true;
    if (tape_ticks(i) - start < patience &&
        __atomic_load_n(state + TAPE_DISMISSED, __ATOMIC_RELAXED) == 0)
      tape_yield();
    else if (__atomic_compare_exchange_n(state + TAPE_TAKEN, &taken, taken | TAPE_CLOSED, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return false;
  }
}

// Without patience `state` is zero before and after. With it work-groups stay when they are done,
// and go through the tape once more whenever the host sets TAPE_TAKEN to the next turn, which it
// does when all tickets of this one are done: no launch, which would wake the threads anew. There
// is then one more thread than there are processors, the host's: two work-groups on one processor
// would not be put apart, so each has its own.
kernel void tape(__global const ulong *program, int records, int tickets, int workers,
                 __global ulong *state, ulong patience, __local float16 *shared) {
  const int worker = get_group_id(0);
  ulong all[TAPE_MASK_WORDS];
  const int settled = patience > 0 ? tape_settle(all, worker, workers) : 0;
  int n = 0, ready = -1;
  ulong turn = 0, owed = 0;
  while (true) {
    const ulong taken = __atomic_fetch_add(state + TAPE_TAKEN, 1ul, __ATOMIC_ACQUIRE);
    if (taken & TAPE_CLOSED) break;
    if (taken >> 32 != turn) {
      turn = taken >> 32;
      n = 0;
      ready = -1;
    }
    const int ticket = (int)(taken & 0xffffffffu);
    if (ticket >= tickets) {
      tape_count(state, &owed);
      if (patience > 0 && tape_stays(state, turn, patience)) continue;
      break;
    }
    while (n + 1 < records && ticket >= (int)program[(n + 1) * TAPE_WORDS + TAPE_START]) n++;
    __global const ulong *r = program + n * TAPE_WORDS;
    const int start = r[TAPE_START];
    if (ready != n) {
      tape_count(state, &owed);
      for (int i = 0; (int)__atomic_load_n(state + TAPE_DONE, __ATOMIC_ACQUIRE) < start; i++)
        tape_wait(i);
      ready = n;
    }
    const int end = n + 1 < records ? (int)program[(n + 1) * TAPE_WORDS + TAPE_START] : tickets;
    const int nth = tape_part(state, turn * records + n, end - start, worker, workers);
    tape_ticket(program, r, nth, end - start, shared);
    owed++;
  }
  tape_count(state, &owed);
  tape_unsettle(all, settled);
  if (patience > 0 ||
      __atomic_fetch_add(state + TAPE_LEFT, 1ul, __ATOMIC_ACQ_REL) < (ulong)workers - 1)
    return;
  for (int i = 0; i < TAPE_PARTS + TAPE_PART_WORDS * workers; i++) state[i] = 0;
}
