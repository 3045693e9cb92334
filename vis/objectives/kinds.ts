/**
 * The kinds of wishes that can be written down as text: on a command line, in a config file, in a
 * page. A kind is a file of this room and a row of this table.
 */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { channels } from "./channels.ts";
import { classes } from "./classes.ts";
import { directions } from "./directions.ts";
import { diverse } from "./diverse.ts";
import { l1 } from "./l1.ts";
import { like, type Likeness } from "./like.ts";
import { type Neuron, neurons } from "./neurons.ts";
import { add, type Objective, scale } from "./objective.ts";
import { tv } from "./tv.ts";

/** What is known when a wish is read. */
export interface WishContext {
  /** Path of the layer. */
  readonly layer: string;
  /** Channels of its output. */
  readonly channels: number;
  /** The names of the network's classes in order, if they are known. */
  readonly classNames?: readonly string[] | undefined;
  /** Power of a direction's cosine; 1 by default. */
  readonly cosinePower?: number | undefined;
  /** Pictures of each wish (1). */
  readonly copies: number;
  /** Reads vectors from a file, each with a name or none. */
  readonly vectors: (path: string) => Promise<readonly (readonly number[])[]>;
  /** Reads a photo. */
  readonly photo: (path: string) => Promise<Likeness>;
}

/** A kind of wish. */
export interface WishKind {
  /** What is to be written, such as `3,7,40-47`. */
  readonly value: string;
  /** One sentence. */
  readonly help: string;
  /** Whether it needs a layer. */
  readonly layered: boolean;
  /** Whether it is a wish of its own, and not something that another one is to have besides. */
  readonly alone: boolean;
  /**
   * Reads it.
   *
   * @throws {UserError} saying what was expected and what came.
   */
  parse(text: string, context: WishContext): Objective | Promise<Objective>;
}

/** The name of a kind. */
export type WishName =
  | "channels"
  | "neurons"
  | "directions"
  | "classes"
  | "like"
  | "diverse"
  | "l1"
  | "tv";

/** The kinds by name. */
export const WISHES: Readonly<Record<WishName, WishKind>> = {
  channels: {
    value: "3,7,40-47|all",
    help: "A picture for each of these channels of the layer: the mean of its map is to be large",
    layered: true,
    alone: true,
    parse: (text, { layer, channels: count, copies }) =>
      channels(layer, repeated(channelNumbers(text, count), copies)),
  },
  neurons: {
    value: "12@7,7",
    help: "A picture for each of these channels at a row and column; in the middle without these",
    layered: true,
    alone: true,
    parse: (text, { layer, copies }) => neurons(layer, repeated(neuronList(text), copies)),
  },
  directions: {
    value: "FILE",
    help:
      "A picture for each vector of a file: JSON lists of numbers, or a safetensors tensor [K,C]",
    layered: true,
    alone: true,
    async parse(text, { layer, copies, cosinePower, vectors }) {
      const read = await vectors(text);
      const names = read.map((_, i) => `direction ${i + 1}`);
      return directions(layer, repeated(read, copies), {
        cosinePower,
        names: repeated(names, copies),
      });
    },
  },
  classes: {
    value: "ant,310",
    help: "A picture for each of these classes of the network, by number or name",
    layered: false,
    alone: true,
    parse(text, { classNames, copies }) {
      const numbers = classNumbers(text, classNames);
      const names = numbers.map((n) => classNames ? `class ${n} ${classNames[n]}` : `class ${n}`);
      return classes(repeated(numbers, copies), repeated(names, copies));
    },
  },
  like: {
    value: "PHOTO",
    help: "What the layer makes of the picture is to be what it makes of this photo, too",
    layered: true,
    alone: true,
    async parse(text, { layer, photo }) {
      return like(layer, [await photo(text)]);
    },
  },
  diverse: {
    value: "N",
    help: "N pictures of each wish, which are to differ in what the layer makes of them",
    layered: true,
    alone: false,
    parse: (_text, { layer, copies }) => diverse(layer, copies),
  },
  l1: {
    value: "WEIGHT",
    help: "Keep pixels near grey; 1 is as strong as the rest at the first step",
    layered: false,
    alone: false,
    parse: (text) => scale(l1(), weightOf("l1", text)),
  },
  tv: {
    value: "WEIGHT",
    help: "Keep neighbouring pixels alike; 1 is as strong as the rest at the first step",
    layered: false,
    alone: false,
    parse: (text) => scale(tv(), weightOf("tv", text)),
  },
};

/** All of them. */
export const WISH_NAMES = Object.keys(WISHES) as readonly WishName[];

/**
 * The objective of some wishes.
 *
 * @param texts what was written for each kind
 * @param weights how often each kind counts (1)
 * @throws {UserError} when there is no wish of its own, and as {@linkcode WishKind.parse} says.
 */
export async function readWishes(
  texts: Partial<Readonly<Record<WishName, string>>>,
  context: Omit<WishContext, "copies">,
  weights: Partial<Readonly<Record<WishName, number>>> = {},
): Promise<Objective> {
  const given = WISH_NAMES.filter((name) => texts[name] !== undefined);
  if (!given.some((name) => WISHES[name].alone)) {
    const wishes = WISH_NAMES.filter((name) => WISHES[name].alone).join(", ");
    throw new UserError(`nothing to grow pictures for; expected one of ${wishes}`);
  }
  const copies = texts.diverse === undefined ? 1 : copiesOf(texts.diverse);
  const terms: Objective[] = [];
  for (const name of given) {
    const kind = WISHES[name];
    terms.push(scale(await kind.parse(texts[name]!, { ...context, copies }), weights[name] ?? 1));
  }
  return add(...terms);
}

/** Pictures of each wish that `diverse` asks for. */
function copiesOf(text: string): number {
  const copies = Number(text);
  if (Number.isInteger(copies) && copies >= 2 && copies <= 16) return copies;
  throw new UserError(`diverse: expected a whole number of pictures from 2 to 16, got "${text}"`);
}

function weightOf(kind: string, text: string): number {
  const weight = Number(text);
  if (text.trim() !== "" && weight >= 0 && weight <= 1e6) return weight;
  throw new UserError(`${kind}: expected a weight from 0 to 1000000, got "${text}"`);
}

/** Each of some things so many times. */
function repeated<T>(list: readonly T[], copies: number): T[] {
  return list.flatMap((each) => Array.from({ length: copies }, () => each));
}

/** `3,7,40-47` or `all`. */
function channelNumbers(text: string, count: number): number[] {
  if (text.trim() === "all") return Array.from({ length: count }, (_, i) => i);
  const wrong = () => new UserError(`channels: expected such as 3,7,40-47 or all, got "${text}"`);
  return text.split(",").flatMap((part) => {
    const [, from, to = from] = /^\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*$/.exec(part) ?? [];
    if (from === undefined) throw wrong();
    const [first, last] = [Number(from), Number(to)];
    if (last < first) throw wrong();
    if (last >= count) {
      throw new UserError(
        `channels: the layer has ${count}, 0 to ${count - 1}; there is no ${last}`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** `12@7,7` and `12@7,7,40,3@0,5`. */
function neuronList(text: string): Neuron[] {
  const compact = text.replaceAll(/\s/g, "");
  const neuron = /^(\d{1,6})(?:@(\d{1,6}),(\d{1,6}))?(?:[,;]|$)/;
  const list: Neuron[] = [];
  for (let rest = compact; rest !== "" || list.length === 0;) {
    const found = neuron.exec(rest);
    if (!found) throw new UserError(`neurons: expected such as 12@7,7 or 12, got "${text}"`);
    const [all, channel, y, x] = found;
    list.push({
      channel: Number(channel),
      ...(y === undefined ? {} : { at: [Number(y), Number(x)] as const }),
    });
    rest = rest.slice(all.length);
  }
  return list;
}

/** Numbers, or names of which a part will do if only one class has it. */
function classNumbers(text: string, names: readonly string[] | undefined): number[] {
  return text.split(",").map((part) => {
    const name = part.trim();
    if (/^\d+$/.test(name)) return Number(name);
    if (!names) {
      throw new UserError(
        `classes: expected numbers, got "${name}"; the network's classes have no names here: give ` +
          "a file of them, one a line",
      );
    }
    const wanted = name.toLowerCase();
    const same = names.findIndex((each) =>
      each.split(",").some((one) => one.trim().toLowerCase() === wanted)
    );
    if (same >= 0) return same;
    const containing = [...names.keys()].filter((i) => names[i]!.toLowerCase().includes(wanted));
    if (wanted !== "" && containing.length === 1) return containing[0]!;
    const close = containing.length > 1
      ? containing.slice(0, 4).map((i) => names[i]!)
      : nearest(name, names, 3);
    throw new UserError(`classes: there is no class "${name}"; nearest: ${close.join("; ")}`);
  });
}
