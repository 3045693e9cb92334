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

/** What the channels of a convolution may be. */
interface Channels {
  /** Numbers of input and output channels to draw from. */
  channels?: readonly number[];
  /** Groups, with the input and output channels of each. */
  groups?: readonly (readonly [groups: number, inputs: number, outputs: number])[];
}

/** As many groups as channels. */
const DEPTHWISE: Channels = { groups: CHANNELS.map((c) => [c, 1, 1] as const) };

/** Input, weight and bias of a convolution, and the rest. */
type Drawn = (
  r: Random,
  index: number,
) => Sample<{ bias: boolean; groups: number } & Omit<Window, "kernel">>;

/**
 * Convolutions with both register tiles in height (up to 4 outputs, more) and the given widths:
 * every width of the output or its gradient that asks for another tile compiles another kernel.
 */
function convolution(
  { kernel, ...options }: Window,
  widths: readonly number[],
  { channels = [3, 5, 12], groups: grouped }: Channels = {},
): Drawn {
  return (r, index) => {
    const [groups, inputs, outputs] = grouped
      ? r.pick(grouped)
      : [1, r.pick(channels), r.pick(channels)];
    const rows = Math.max(kernel[0], 1) + r.integer(8);
    const all = [
      [1 + r.integer(2), groups * inputs, rows, widths[index % widths.length]!],
      [groups * outputs, inputs, ...kernel],
      [1, groups * outputs, 1, 1],
    ] as unknown as Shape[];
    return {
      inputs: all.map((s) => randomValues(r, s)),
      options: { ...options, bias: index % 4 === 3, groups },
    };
  };
}

const CONVOLUTIONS: [string, Drawn][] = [
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
    convolution({ kernel: [3, 3], padding: 1 }, [1, 5, 18], DEPTHWISE),
  ],
  [
    "depthwise 3x3 convolution, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [3, 6, 19], DEPTHWISE),
  ],
  [
    "depthwise 5x5 convolution, stride 2x1, dilation 1x2",
    convolution(
      { kernel: [5, 5], stride: [2, 1], padding: [2, 4], dilation: [1, 2] },
      [4, 9],
      DEPTHWISE,
    ),
  ],
  [
    "3x3 convolution, stride 2x1",
    convolution({ kernel: [3, 3], stride: [2, 1], padding: [1, 0] }, [4, 9]),
  ],
  [
    "3x2 convolution, stride 1x3",
    convolution({ kernel: [3, 2], stride: [1, 3], padding: [0, 1] }, [5, 10]),
  ],
  [
    "3x3 convolution in groups of whole quads",
    convolution({ kernel: [3, 3], padding: 1 }, [5, 8], { groups: [[2, 4, 8], [3, 8, 4]] }),
  ],
  [
    "3x3 convolution in any groups, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [5, 8], {
      groups: [[2, 3, 5], [3, 2, 1], [5, 1, 3], [4, 2, 2], [2, 6, 7], [7, 3, 3]],
    }),
  ],
  [
    "1x1 convolution in any groups",
    convolution({ kernel: [1, 1] }, [3, 8], { groups: [[2, 5, 3], [3, 4, 6], [8, 1, 2]] }),
  ],
];

/** The cases. */
export const convolutions: Group = (test) => {
  for (const [name, sample] of CONVOLUTIONS) {
    const unbiased: Drawn = (r, i) => {
      const { inputs, options } = sample(r, i);
      return { inputs: inputs.slice(0, 2), options: { ...options, bias: false } };
    };
    test(
      name,
      unbiased,
      (f, [x, w], { bias: _, ...options }) => f.conv2d(x!, w!, undefined, options),
      { degree: 1 },
    );
    test(
      `${name}: its weights`,
      unbiased,
      (f, [x, w], { bias: _, ...options }) => f.conv2d(x!, w!, undefined, options),
      { degree: 1, wrt: [1] },
    );
  }
  const biased: [string, Drawn][] = [
    ["3x3 convolution with bias", convolution({ kernel: [3, 3], padding: 1 }, [7])],
    [
      "depthwise 3x3 convolution with bias",
      convolution({ kernel: [3, 3], padding: 1 }, [7], DEPTHWISE),
    ],
  ];
  for (const [name, sample] of biased) {
    test(
      name,
      sample,
      (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, w!, b!, options),
      { wrt: "all" },
    );
  }
  // Weights that are computed are packed on the GPU, and the gradient goes on through them.
  test(
    "convolution with computed weights",
    convolution({ kernel: [3, 3], padding: 1 }, [7]),
    (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, f.abs(w!), f.affine(b!, 2), options),
    { wrt: "all" },
  );
  test(
    "grouped convolution with computed weights, stride 2",
    convolution({ kernel: [3, 3], stride: 2, padding: 1 }, [8], {
      groups: [[2, 4, 8], [2, 3, 5], [5, 1, 1], [4, 2, 2]],
    }),
    (f, [x, w, b], { bias: _, ...options }) => f.conv2d(x!, f.affine(w!, 0.5), b!, options),
    { wrt: "all" },
  );
  test(
    "3x3 convolution with other padding at the end, stride 2",
    convolution({ kernel: [3, 3], stride: 2 }, [8, 7]),
    (f, [x, w], { bias: _, ...options }) => {
      return f.conv2d(x!, w!, undefined, { ...options, padding: [0, 1], paddingEnd: [1, 2] });
    },
    { degree: 1 },
  );
  for (const groups of [1, 2, 6]) {
    test(
      `transposed convolution in ${groups} groups`,
      (r) => {
        const kernel = [1 + r.integer(4), 2 + r.integer(3)] as const;
        const outputs = groups === 6 ? 1 : 1 + r.integer(5);
        const shapes: Shape[] = [
          [1 + r.integer(2), 6, 1 + r.integer(5), 1 + r.integer(5)],
          [6, outputs, ...kernel],
          [1, outputs * groups, 1, 1],
        ];
        const stride = r.pick([1, 2, 3]);
        const options = {
          groups,
          stride,
          padding: [0, r.integer(2)] as const,
          ...(r.integer(2) ? { paddingEnd: [0, 0] as const } : {}),
          outputPadding: r.integer(stride),
        };
        return { inputs: shapes.map((s) => randomValues(r, s)), options };
      },
      (f, [x, w, b], options) => f.convTranspose2d(x!, w!, b!, options),
      { wrt: "all" },
    );
  }
  test(
    "linear",
    (r) => {
      const [n, inputs, outputs] = [1 + r.integer(4), 1 + r.integer(40), 1 + r.integer(20)];
      const shapes: Shape[] = [[n, inputs, 1, 1], [outputs, inputs, 1, 1], [1, outputs, 1, 1]];
      return { inputs: shapes.map((s) => randomValues(r, s)), options: null };
    },
    (f, [x, w, b]) => f.linear(x!, w!, b!),
    { wrt: "all" },
  );
};
