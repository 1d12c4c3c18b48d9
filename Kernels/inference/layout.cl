// How planes lie for the windows that slide over them: see window.cl.
typedef struct {
  int height, width;
  int outHeight, outWidth;
  int taps;
  int strideY, strideX;
  int top, left; // padding
  int phasesY, phasesX;
  int rows, pitch; // of one phase
  int stripRows;   // of the output, that `rows` suffice for
  int planeSize;   // of all phases, and what is behind them
} window_layout;

// A window over planes, as a step has it.
typedef struct {
  int height, width;
  int outHeight, outWidth;
  int kernelHeight, kernelWidth;
  int strideY, strideX;
  int dilationY, dilationX;
  int top, left; // padding
} window_shape;
