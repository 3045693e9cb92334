/** The colours of pictures and their facets, on a screen and in a file. */

/**
 * Paul Tol's "muted" scheme and a dark grey, which people with any kind of colour vision can tell
 * apart. After ten they come again, with hollow dots and dashed lines.
 */
const MUTED = [
  "#332288",
  "#cc6677",
  "#44aa99",
  "#ddcc77",
  "#882255",
  "#88ccee",
  "#117733",
  "#aa4499",
  "#999933",
  "#555555",
];

/** How many there are. */
export const COLOURS = MUTED.length;

/** What a drawing is drawn with. */
export interface Ink {
  /** Of texts, of lesser ones, of lines in the background, and of the ground. */
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly ground: string;
  /** Of picture number i. */
  readonly colour: (i: number) => string;
  /** On that colour. */
  readonly on: (i: number) => string;
}

/** On a screen the style sheet knows, which has other ones for the dark. */
export const SCREEN: Ink = {
  text: "var(--text)",
  quiet: "var(--quiet)",
  line: "var(--line)",
  ground: "var(--ground)",
  colour: (i) => `var(--c${i % COLOURS})`,
  on: (i) => `var(--on-c${i % COLOURS})`,
};

/** In a file everything is dark on white, wherever it is looked at. */
export const FILE: Ink = {
  text: "#1d1d1f",
  quiet: "#5c5c61",
  line: "#dcdce0",
  ground: "#ffffff",
  colour: (i) => MUTED[i % COLOURS]!,
  on: (i) => [1, 2, 3, 5, 8].includes(i % COLOURS) ? "#1d1d1f" : "#ffffff",
};

/** Whether a picture has the colour of an earlier one. */
export function isHollow(i: number): boolean {
  return Math.floor(i / COLOURS) % 2 === 1;
}
