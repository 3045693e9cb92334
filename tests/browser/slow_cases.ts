/**
 * Cases whose kernels SwiftShader compiles for long and others exercise as well, with smaller
 * windows: not in every run, but in slow.ts.
 */
export const SLOW_CASES = [
  // Three columns of the gradient in one kernel, a turn's products unrolled: 10 seconds.
  "2x3 convolution, stride 3, dilation 2x1",
  // Of 1 to 4 seconds.
  "2x3 convolution, stride 3, dilation 2x1: its weights",
  "3x3 convolution, dilation 2: its weights",
  "5x5 convolution: its weights",
  "7x7 convolution, stride 2: its weights",
  "depthwise 5x5 convolution, stride 2x1, dilation 1x2",
  "depthwise 5x5 convolution, stride 2x1, dilation 1x2: its weights",
];
