/** Errors meant for the person at the keyboard, in the lowest room so that every layer can throw them. */

/**
 * A problem the user can fix: a missing folder, a wrong option, an unknown layer. Its message is one
 * clear line (what was expected, what came, what to do); the command line prints it without a stack.
 * Every other error is a bug of ours.
 *
 * @example
 * ```ts
 * import { UserError } from "./errors.ts";
 * const error = new UserError("--facets expects a whole number from 1, got 0");
 * console.assert(error instanceof Error && error.name === "UserError");
 * ```
 */
export class UserError extends Error {
  /** How the error introduces itself: `UserError: ...`. */
  override name = "UserError";
}
