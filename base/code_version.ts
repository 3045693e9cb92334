/** Written by `deno task code-version`. */

/** A hash of the code that makes the numbers: of another one, what was kept is not to be trusted. */
export const CODE_VERSION = "4de8660ecb5dd2e8";
