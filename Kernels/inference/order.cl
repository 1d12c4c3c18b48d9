// Maximum and minimum that are free of order: -0 is less than +0, and NaN wins over everything. And
// bounds, which let NaN pass.

// Orders floats as their keys are ordered, NaN last.
int ew_key(float x) {
  const int bits = as_int(x);
  return x != x ? 0x7fffffff : bits ^ ((bits >> 31) & 0x7fffffff);
}
float ew_max(float a, float b) {
  if (a != a || b != b) return as_float(0x7fc00000);
  return ew_key(a) < ew_key(b) ? b : a;
}
float ew_min(float a, float b) {
  if (a != a || b != b) return as_float(0x7fc00000);
  return ew_key(b) < ew_key(a) ? b : a;
}
float ew_clip(float x, float low, float high) { return x < low ? low : (x > high ? high : x); }
