// needs: exact/divide.cl exact/root.cl exact/logarithm.cl exact/trigonometric.cl exact/random.cl
// Random numbers that are a function of a seed, a place in a model and an element's index, and what
// is picked by them. Run/HostSteps+Random.swift is their twin.

// Of each element a number times b, plus a. Work-items: (count rounded up).
__kernel void random_uniform(__global const uint *seed, __global float *y, int count, uint low,
                             uint high, float a, float b) {
  const int i = get_global_id(0);
  if (i >= count) return;
  uint second;
  const uint first = ex_philox((uint)i, low, high, seed[0], seed[1], &second);
  y[i] = fma(ex_unit(first), b, a);
}

// The same. Work-items: (count rounded up).
__kernel void random_normal(__global const uint *seed, __global float *y, int count, uint low,
                            uint high, float a, float b) {
  const int i = get_global_id(0);
  if (i >= count) return;
  uint second;
  const uint first = ex_philox((uint)i, low, high, seed[0], seed[1], &second);
  y[i] = fma(ex_normal(first, second), b, a);
}

// Of each row's classes, the first at which the running sum of weights is more than the part u of
// all of them. Work-items: (samples rounded up, rows).
__kernel void random_pick(__global const float *weights, __global const float *u, __global int *y,
                          int samples, int classes) {
  const int sample = get_global_id(0);
  if (sample >= samples) return;
  const ulong row = get_global_id(1);
  __global const float *own = weights + row * (ulong)classes;
  const ulong place = row * (ulong)samples + (ulong)sample;
  float total = 0.0f;
  for (int c = 0; c < classes; c++) total += own[c];
  const float target = u[place] * total;
  float sum = 0.0f;
  int picked = 0;
  for (int c = 0; c < classes; c++) {
    sum += own[c];
    picked += sum <= target ? 1 : 0;
  }
  y[place] = min(picked, classes - 1);
}
