/** Every group of cases. */
import { collect } from "../compare.ts";
import { convolutions } from "./convolutions.ts";
import { elementwise } from "./elementwise.ts";
import { images } from "./images.ts";
import { losses } from "./losses.ts";
import { normalisation } from "./normalisation.ts";
import { pooling } from "./pooling.ts";
import { reductions } from "./reductions.ts";
import { resizings } from "./resizing.ts";
import { shapes } from "./shapes.ts";

/** All cases, in the order of the groups. */
export const CASES = collect(
  elementwise,
  reductions,
  normalisation,
  losses,
  convolutions,
  pooling,
  resizings,
  shapes,
  images,
);
