/** The colours of pictures and their facets, on a screen and in a file. */
import { colourOnFacet, facetColour } from "../../vis/report/map.ts";

/** How many the style sheet has; after these they come again. */
const COLOURS = 10;

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
  colour: facetColour,
  on: colourOnFacet,
};

/** Whether a picture has the colour of an earlier one: its dots are hollow, its lines dashed. */
export { isHollow } from "../../vis/report/map.ts";
