/** `--film`: whether a run leaves films of its pictures, and of what kind. */
import { type Arguments, type OptionSpec, UsageError } from "./options.ts";

/** The option. */
export const FILM_OPTION: OptionSpec = {
  type: "string",
  value: "gif",
  help: "Leave a film of each picture as it grows, as a GIF",
  schema: { enum: ["gif"] },
};

/**
 * Whether there are to be films.
 *
 * @throws {UsageError} when they are to be of a kind that there is not.
 */
export function wantsFilm(args: Arguments): boolean {
  const kind = args.text("film");
  if (kind === undefined) return false;
  if (kind === "gif") return true;
  throw new UsageError(`--film: expected gif, got "${kind}"`);
}

/** The option as it was given, for a command that passes it on: where it was not, a config may say it. */
export function filmValue(args: Arguments): { film?: string } {
  const film = args.text("film");
  return film === undefined ? {} : { film };
}
