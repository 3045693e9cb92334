/** A small stroke font: letters as pen strokes, so that text is crisp at any size without a font file. */

/** A pen stroke: a line through these points, or a smooth curve. */
interface Stroke {
  points: [x: number, y: number][];
  smooth: boolean;
}

/** A straight piece of a letter. */
export type Segment = [x0: number, y0: number, x1: number, y1: number];

/** Height of a capital letter in the units of the glyphs below. */
const CAPITAL = 12;
/** White space between letters, and the width of a blank, in the same units. */
const GAP = 3.5;
const BLANK = 2;

/**
 * Strokes are separated by blanks. In a stroke each two characters are a point, x then y, in base 36;
 * y grows downwards: 0 the top of capitals, 4 the top of small letters, c (12) the line they stand on,
 * g (16) the lowest. A stroke that starts with ~ is a smooth curve. A stroke of one point twice is a dot.
 */
const GLYPHS: Record<string, string> = {
  "0": "~4012061a4c7a867240",
  "1": "13404c",
  "2": "~031140718376490c 0c8c",
  "3": "~024071837546 ~4677897b4c1b0a",
  "4": "6c600888",
  "5": "701005 ~054475887b4c1b0a",
  "6": "~71401206081b4c7b8875441508",
  "7": "00803c",
  "8": "~402113254665736140 ~4617091b4c7b897746",
  "9": "~1b4c7a86847140110417487784",
  a: "~3415081b3c5b685534 646c",
  b: "~3415081b3c5b685534 000c",
  c: "~653415081b3c6b",
  d: "~3415081b3c5b685534 606c",
  e: "0868 ~68553415081b3c6b",
  f: "~503123 232c 0454",
  g: "~3415081b3c5b685534 646d ~6d5f3g0f",
  h: "000c ~0715345567 676c",
  i: "040c 0101",
  j: "242d ~2d1f0g 2121",
  k: "000c 6409 276c",
  l: "000c",
  m: "040c ~0715344557 575c ~57658495a7 a7ac",
  n: "040c ~0715345567 676c",
  o: "~3415081b3c5b685534",
  p: "~3415081b3c5b685534 040g",
  q: "~3415081b3c5b685534 646g",
  r: "040c ~07153444",
  s: "~653406386a3c0b",
  t: "212a ~2a3c5c 0454",
  u: "0409 ~091b3c5b69 646c",
  v: "043c64",
  w: "042c558ca4",
  x: "046c 640c",
  y: "043c 642f",
  z: "04640c6c",
  A: "0c408c 1979",
  B: "000c 0040 ~4061736546 0646 ~4677897b4c 4c0c",
  C: "~82714012061a4c7b8a",
  D: "000c 0030 ~3072867a3c 3c0c",
  E: "80000c8c 0666",
  F: "80000c 0666",
  G: "~82714012061a4c7b8a 8a8656",
  H: "000c 808c 0686",
  I: "000c",
  J: "6069 ~695b3c1b09",
  K: "000c 8007 348c",
  L: "000c8c",
  M: "0c0058a0ac",
  N: "0c008c80",
  O: "~5012061a5c9aa69250",
  P: "0c0040 ~4071837546 4606",
  Q: "~5012061a5c9aa69250 79ad",
  R: "0c0040 ~4071837546 4606 468c",
  S: "~8271401103154677897b4c1b0a",
  T: "0080 404c",
  U: "0008 ~081b4c7b88 8880",
  V: "004c80",
  W: "003c629cc0",
  X: "008c 800c",
  Y: "004680 464c",
  Z: "00800c8c",
  ".": "0c0c",
  ",": "1c0e",
  ":": "0606 0c0c",
  ";": "1616 1c0e",
  "!": "0008 0c0c",
  "?": "~0211305163553739 3c3c",
  "'": "0003",
  '"': "0003 3033",
  "(": "~3013071b3e",
  ")": "~0023372b0e",
  "[": "30000e3e",
  "]": "00303e0e",
  "<": "64086c",
  ">": "04680c",
  "-": "0858",
  "_": "0e8e",
  "+": "0868 353b",
  "=": "0666 0a6a",
  "/": "0d60",
  "|": "000e",
  "#": "211c 615c 0474 0878",
  "%": "~2002244220 0c80 ~688a6c4a68",
  "×": "066c 660c",
  "±": "4147 1474 1b7b",
  "→": "0888 55885b",
};

/** Shown for a character that is not in the table. */
const UNKNOWN = "00606c0c00";

function strokesOf(character: string): Stroke[] {
  return (GLYPHS[character] ?? UNKNOWN).split(" ").map((code) => {
    const smooth = code.startsWith("~");
    const digits = smooth ? code.slice(1) : code;
    const points: [number, number][] = [];
    for (let i = 0; i < digits.length; i += 2) {
      points.push([parseInt(digits[i]!, 36), parseInt(digits[i + 1]!, 36)]);
    }
    return { points, smooth };
  });
}

/** A Catmull-Rom curve through the points, as a finer line; a closed one when it ends where it began. */
function smoothed(points: [number, number][]): [number, number][] {
  const last = points.length - 1;
  const [first, end] = [points[0]!, points[last]!];
  const closed = first[0] === end[0] && first[1] === end[1];
  const before = closed ? points[last - 1]! : first;
  const after = closed ? points[1]! : end;
  const around = [before, ...points, after];
  const finer: [number, number][] = [first];
  const steps = 6;
  for (let i = 1; i <= last; i++) {
    const [p, q, r, s] = around.slice(i - 1, i + 3) as [number, number][];
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const along = (axis: 0 | 1) => {
        const [a, b, c, d] = [p![axis], q![axis], r![axis], s![axis]];
        return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d)));
      };
      finer.push([along(0), along(1)]);
    }
  }
  return finer;
}

/**
 * Text as straight pieces.
 *
 * @param size Height of a capital letter in pixels.
 * @returns `segments` with the text's top left corner at (0, 0), and its `width`, in pixels.
 */
export function textStrokes(text: string, size: number): { segments: Segment[]; width: number } {
  const scale = size / CAPITAL;
  const segments: Segment[] = [];
  let pen = 0;
  for (const character of text) {
    if (character === " ") {
      pen += BLANK + GAP;
      continue;
    }
    let width = 0;
    for (const { points, smooth } of strokesOf(character)) {
      width = Math.max(width, ...points.map(([x]) => x));
      const line = smooth ? smoothed(points) : points;
      for (let i = 1; i < line.length; i++) {
        const [[x0, y0], [x1, y1]] = [line[i - 1]!, line[i]!];
        segments.push([(pen + x0) * scale, y0 * scale, (pen + x1) * scale, y1 * scale]);
      }
    }
    pen += width + GAP;
  }
  return { segments, width: Math.max(0, pen - GAP) * scale };
}
