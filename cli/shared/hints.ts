/** What the command line adds to the errors of the library: which command helps. */
import { NonfiniteWeightError } from "../../models/trace.ts";
import { FolderTakenError } from "../../vis/report/run_folder.ts";
import { UnknownNameError, type UserError } from "../../base/errors.ts";

/** The command that lists all names of a kind. */
const LISTED_BY: Readonly<Record<string, (error: UnknownNameError) => string>> = {
  model: () => "models",
  network: () => "models",
  module: ({ within }) => `layers --model ${within}`,
};

/** An error's message with the hint for it, if there is one. */
export function withHint(error: UserError): string {
  if (error instanceof FolderTakenError) {
    const { folder, status } = error;
    const resume = status === "finished" ? "" : `go on with it: resume ${folder}; or `;
    return `${error.message}; ${resume}take another folder (--out), or --force to replace it`;
  }
  if (error instanceof NonfiniteWeightError) {
    return `${error.message}, or go on with --allow-nonfinite`;
  }
  const list = error instanceof UnknownNameError ? LISTED_BY[error.kind]?.(error) : undefined;
  return list === undefined ? error.message : `${error.message}; list all with: ${list}`;
}
