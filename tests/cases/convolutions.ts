/** Convolutions. */
import type { Random, Shape } from "../../ops/mod.ts";
import { type Group, randomValues, type Sample } from "../compare.ts";
import { CHANNELS } from "./draw.ts";

interface Window {
  kernel: readonly [number, number];
  stride?: number | readonly [number, number];
  padding?: number | readonly [number, number];
  dilation?: number | readonly [number, number];
}

/**
 * Convolutions with both register tiles in height (up to 4 outputs, more) and the given widths:
 * every width of the output or its gradient that asks for another tile compiles another kernel.
 */
function convolution(
  { kernel, ...options }: Window,
  widths: readonly number[],
  special: { depthwise?: boolean; channels?: readonly number[] } = {},
): (
  r: Random,
  index: number,
) => Sample<{ bias: boolean; groups: number } & Omit<Window, "kernel">> {
  return (r, index) => {
    const { depthwise = false, channels = [3, 5, 12] } = special;
    const inputs = r.pick(depthwise ? CHANNELS : channels);
    const outputs = depthwise ? inputs : r.pick(channels);
    const rows = Math.max(kernel[0], 1) + r.integer(8);
    const all = [
      [1 + r.integer(2), inputs, rows, widths[index % widths.length]!],
      [outputs, depthwise ? 1 : inputs, ...kernel],
      [1, outputs, 1, 1],
    ] as unknown as Shape[];
    return {
      inputs: all.map((s) => randomValues(r, s)),
      options: { ...options, bias: index % 4 === 3, groups: depthwise ? inputs : 1 },
    };
  };
}

const CONVOLUTIONS: [string, ReturnType<typeof convolution>][] = [
  ["1x1 convolution", convolution({ kernel: [1, 1] }, [1, 7, 13])],
  ["1x1 convolution, stride 2", convolution({ kernel: [1, 1], stride: 2 }, [2, 7, 8])],
  ["3x3 convolution", convolution({ kernel: [3, 3], padding: 1 }, [1, 4, 8, 11, 14, 16, 19])],
  ["3x3 convolution without padding", convolution({ kernel: [3, 3] }, [3, 6, 5])],
  [
    "3x3 convolution, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [1, 6, 7, 8]),
  ],
  [
    "3x3 convolution, dilation 2",
    convolution({ kernel: [3, 3], padding: 2, dilation: 2 }, [3, 7], { channels: [3, 6] }),
  ],
  ["5x5 convolution", convolution({ kernel: [5, 5], padding: 2 }, [2, 7], { channels: [3, 6] })],
  [
    "7x7 convolution, stride 2",
    convolution({ kernel: [7, 7], stride: 2, padding: 3 }, [7, 8], { channels: [3, 6] }),
  ],
  ["1x7 convolution", convolution({ kernel: [1, 7], padding: [0, 3] }, [5, 7], { channels: [5] })],
  ["7x1 convolution", convolution({ kernel: [7, 1], padding: [3, 0] }, [4, 7], { channels: [5] })],
  [
    "2x3 convolution, stride 3, dilation 2x1",
    convolution({ kernel: [2, 3], stride: 3, padding: [1, 0], dilation: [2, 1] }, [4, 11]),
  ],
  [
    "depthwise 3x3 convolution",
    convolution({ kernel: [3, 3], padding: 1 }, [1, 5, 18], { depthwise: true }),
  ],
  [
    "depthwise 3x3 convolution, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [3, 6, 19], { depthwise: true }),
  ],
  [
    "depthwise 5x5 convolution, stride 2x1, dilation 1x2",
    convolution(
      { kernel: [5, 5], stride: [2, 1], padding: [2, 4], dilation: [1, 2] },
      [4, 9],
      { depthwise: true },
    ),
  ],
];

/** The cases. */
export const convolutions: Group = (test) => {
  for (const [name, sample] of CONVOLUTIONS) {
    test(
      name,
      (r, i) => {
        const { inputs, options } = sample(r, i);
        return { inputs, options: { ...options, bias: false } };
      },
      (f, [x, w], { bias: _, ...options }) => f.conv2d(x!, w!, undefined, options),
      { degree: 1 },
    );
  }
  test(
    "3x3 convolution with bias",
    convolution({ kernel: [3, 3], padding: 1 }, [7]),
    (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, w!, b!, options),
  );
  test(
    "depthwise 3x3 convolution with bias",
    convolution({ kernel: [3, 3], padding: 1 }, [7], { depthwise: true }),
    (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, w!, b!, options),
  );
  test(
    "linear",
    (r) => {
      const [n, inputs, outputs] = [1 + r.integer(4), 1 + r.integer(40), 1 + r.integer(20)];
      const shapes: Shape[] = [[n, inputs, 1, 1], [outputs, inputs, 1, 1], [1, outputs, 1, 1]];
      return { inputs: shapes.map((s) => randomValues(r, s)), options: null };
    },
    (f, [x, w, b]) => f.linear(x!, w!, b!),
  );
};
