// First in every program. Contraction would fuse a*b+c where the source does not say fma, and the
// bits would depend on the compiler; the pragma is the only switch OpenCL C has for it.
#pragma OPENCL FP_CONTRACT OFF
