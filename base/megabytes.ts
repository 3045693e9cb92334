/** Bytes, for people. */

/** Whole megabytes, rounded up: `12 MB`. */
export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;
