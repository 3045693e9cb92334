/** Errors meant for the person at the keyboard, in the lowest room so that every layer can throw them. */
import { nearest } from "./nearest.ts";

/**
 * A problem the user can fix: a missing folder, a wrong number, an unknown layer. Its message is one
 * clear line (what was expected, what came, what to do); the command line prints it without a stack.
 * Every other error is a bug of ours.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { UserError } from "./errors.ts";
 * const error = new UserError("facets expects a whole number from 1, got 0");
 * assert(error instanceof Error && error.name === "UserError");
 * ```
 */
export class UserError extends Error {
  /** How the error introduces itself: `UserError: ...`. */
  override name = "UserError";
}

/** How an {@linkcode UnknownNameError} looks for what was meant. */
export interface UnknownNameOptions {
  /** How many of the nearest names to list. */
  readonly count: number;
  /** What they should be like, if not the name itself. */
  readonly like?: string | undefined;
  /** What holds the names, such as the model of a module. */
  readonly within?: string | undefined;
}

/** A name of nothing there is; the message lists the nearest of those that are. */
export class UnknownNameError extends UserError {
  /** What was looked for, such as `module`. */
  readonly kind: string;
  /** What holds the names, such as the model of a module. */
  readonly within: string | undefined;

  /**
   * An error for a name that is none of these.
   *
   * @param names All names there are.
   */
  constructor(
    kind: string,
    name: string,
    names: Iterable<string>,
    { count, like = name, within }: UnknownNameOptions,
  ) {
    const where = within === undefined ? "" : ` in ${within}`;
    super(`no ${kind} "${name}"${where}; nearest: ${nearest(like, names, count).join(", ")}`);
    this.kind = kind;
    this.within = within;
  }
}
