/**
 * What the nodes of each operation must know besides their inputs: the one table that types the graph.
 * An operation is a line here, a file with its kernel calls and its gradient, and a line in
 * autograd/operations.ts.
 */
import type { Variable } from "./variable.ts";

/** A pair from one number or two. */
export type Pair = readonly [y: number, x: number];

/** Channels, rows, columns. */
export type Triple = readonly [c: number, y: number, x: number];

/** Axes of a reduction: 0 pictures, 1 channels, 2 rows, 3 columns. */
export type Axis = 0 | 1 | 2 | 3;

/** A rectifier, as a convolution's epilogue. */
export type Rectifier = "none" | "relu" | "relu6";

/** How a kernel slides over a picture. */
export interface ConvolutionGeometry {
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Zeros around the picture. */
  readonly padding: Pair;
  /** Pixels from one tap to the next. */
  readonly dilation: Pair;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
}

/**
 * Inputs of a convolution node: x (or dy), weight, then those of bias, residual and gate that the
 * attributes announce, in this order. The epilogue is filled in by compiler/rules/.
 */
export interface Conv2dAttributes extends ConvolutionGeometry {
  /** Whether something is added for each channel. */
  readonly bias: boolean;
  /** Whether another tensor is added. */
  readonly residual: boolean;
  /** What follows. */
  readonly activation: Rectifier;
  /** Whether a rectifier's gradient is applied last; its mask is the last input. */
  readonly gate: boolean;
}

/** The window of a pooling node. */
export interface MaxPool2dAttributes {
  /** Its size. */
  readonly kernel: Pair;
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Pixels around the picture. */
  readonly padding: Pair;
  /** Pixels from one element of a window to the next; 1 in averages. */
  readonly dilation: Pair;
}

/** Of the positions of the maxima. */
export interface MaxPool2dIndicesAttributes extends MaxPool2dAttributes {
  /** Windows in a row. */
  readonly columns: number;
}

/** The window of an average, and whether padding counts. */
export interface AveragePool2dAttributes extends MaxPool2dAttributes {
  /** Divide by the window's size, padding included. */
  readonly countIncludePad: boolean;
}

/** Which function, and its numbers. */
export interface ElementwiseAttributes {
  /** Its name in the table of element/elementwise.ts, which knows them all. */
  readonly f: string;
  /** A number it may use. */
  readonly k: number;
  /** Another one. */
  readonly l: number;
}

/** One of the functions. */
export interface ElementStep extends ElementwiseAttributes {
  /** Its operands: the node's inputs by number, and from there on the steps before it. */
  readonly operands: readonly number[];
}

/** The functions in order; the last one gives the result. */
export interface FusedElementwiseAttributes {
  /** Each may use those before it. */
  readonly steps: readonly ElementStep[];
}

/** Which channels around one are summed. */
export interface ChannelWindowAttributes {
  /** How many before it. */
  readonly before: number;
  /** How many after it. */
  readonly after: number;
}

/** A part of a coordinate: ⌊coordinate/below⌋ mod size of one axis of y, times `weight` on one of x. */
export interface Digit {
  /** The axis of y. */
  readonly from: Axis;
  /** How much of y's coordinate one step of it is. */
  readonly below: number;
  /** Its values are 0 to this, exclusive. */
  readonly size: number;
  /** The axis of x. */
  readonly to: Axis;
  /** How much of x's coordinate one step of it is. */
  readonly weight: number;
}

/** Where a slice starts and how far apart its elements are. */
export interface SliceAttributes {
  /** Channel, row and column of the first element. */
  readonly start: Triple;
  /** How far apart the elements are along each. */
  readonly step: Triple;
}

/** The part of a row that is not zero. */
export interface Band {
  /** Its first column. */
  readonly first: number;
  /** What stands there and in the columns after it. */
  readonly weights: readonly number[];
}

/** Row i makes output i from the inputs, which are the columns. */
export interface BandMatrix {
  /** How many inputs there are. */
  readonly columns: number;
  /** One band for each output. */
  readonly rows: readonly Band[];
}

/** The axis and the matrix of a resampling. */
export interface ResampleAxisAttributes {
  /** 2 rows, 3 columns. */
  readonly axis: 2 | 3;
  /** From the old to the new size of that axis. */
  readonly matrix: BandMatrix;
}

/** Which gradient, of how many sweeps. */
export interface TvDenoiseGradientAttributes {
  /** At most; those after the sweeps stopped change nothing. */
  readonly sweeps: number;
  /** The picture's, or each pixel's part of the weight's. */
  readonly of: "picture" | "weight";
}

/** Every operation and the attributes of its nodes. */
export interface OperationTable {
  /** Host values, such as weights. */
  constant: { load: () => Float32Array; fresh: boolean };
  /** A variable's current value. */
  variable: { variable: Variable };
  /** y[m] = Σ w[m,c,k]·x[c, s·o + d·k − p] + b[m], and an epilogue. */
  conv2d: Conv2dAttributes;
  /** dL/dx of a convolution from dL/dy and its weights. */
  conv2dInputGradient: Conv2dAttributes;
  /** dL/dw of a convolution from its input and dL/dy. */
  conv2dWeightGradient: ConvolutionGeometry;
  /** The largest value of each window. */
  maxPool2d: MaxPool2dAttributes;
  /** Where in each window the largest value is. */
  maxPool2dIndices: MaxPool2dIndicesAttributes;
  /** dL/dx of the maximum from dL/dy and those places. */
  maxPool2dGradient: MaxPool2dAttributes;
  /** The mean of each window. */
  averagePool2d: AveragePool2dAttributes;
  /** dL/dx of the mean from dL/dy. */
  averagePool2dGradient: AveragePool2dAttributes;
  /** A function of up to three operands, element by element. */
  elementwise: ElementwiseAttributes;
  /** Several of them, computed together. */
  fusedElementwise: FusedElementwiseAttributes;
  /** Where a rectifier lets its gradient through, from its output: a bit for each element. */
  rectifierMask: { rectifier: "relu" | "relu6" };
  /** dL/dx of a rectifier from dL/dy and that. */
  rectifierGradient: Record<string, never>;
  /** Barron's general robust loss of x, α and c. */
  robustLoss: Record<string, never>;
  /** Its derivative for x or for α. */
  robustLossSlope: { wrt: "x" | "alpha" };
  /** ln Z(α) of the density exp(−ρ)/Z. */
  robustLogPartition: Record<string, never>;
  /** Its derivative. */
  robustLogPartitionSlope: Record<string, never>;
  /** The sum, or that of the squares, along one axis, which keeps size 1. */
  sumAxis: { axis: Axis; squared: boolean };
  /** The largest element along one axis, which keeps size 1. */
  maxAxis: { axis: Axis };
  /** Σ (x − mean)·z along one axis, which keeps size 1. */
  centredDotAxis: { axis: Axis };
  /** x less its mean, divided by its deviation, scaled and shifted. */
  normalise: { axes: readonly Axis[] };
  /** dL/dx of that, given dL/dy and two means. */
  normaliseGradient: Record<string, never>;
  /** The sum over neighbouring channels. */
  channelWindow: ChannelWindowAttributes;
  /** The channels of groups in turn. */
  channelShuffle: { groups: number };
  /** The elements in another order of the factors of their axes. */
  rearrange: { digits: readonly Digit[] };
  /** Every step-th element from a start. */
  slice: SliceAttributes;
  /** The adjoint of a slice: zeros elsewhere. */
  pad: SliceAttributes;
  /** Parts that start at whole channel quads, side by side. */
  concat: Record<string, never>;
  /** Two parts of any number of channels, side by side. */
  concatPair: Record<string, never>;
  /** A symmetric filter along rows or columns, the border mirrored. */
  blurAxis: { axis: 2 | 3 };
  /** Differences to the next row or column. */
  difference: { axis: 2 | 3 };
  /** The adjoint of differences. */
  differenceTranspose: { axis: 2 | 3 };
  /** The adjoint of such a filter. */
  blurAxisTranspose: { axis: 2 | 3 };
  /** A sparse matrix applied to every row or column. */
  resampleAxis: ResampleAxisAttributes;
  /** A circular shift. */
  roll: { sign: 1 | -1 };
  /** Bilinear samples through an affine map, the border reflected. */
  warp: Record<string, never>;
  /** The adjoint of a warp. */
  warpTranspose: Record<string, never>;
  /** A Gaussian of the distance from the centre. */
  radialMask: { plateau: boolean };
  /** Total-variation denoising by split Bregman. */
  tvDenoise: { sweeps: number };
  /** dL/dx or dL/dweight of that, from dL/dy. */
  tvDenoiseGradient: TvDenoiseGradientAttributes;
}

/** The name of an operation. */
export type OperationName = keyof OperationTable;
