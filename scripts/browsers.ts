/**
 * The oldest browsers that the page is for: the first of each with WebGPU. Its scripts are brought to
 * their syntax; what they lack of the library is in web/older_browsers.ts. docs/tab.md says how this
 * was checked.
 */
export const BROWSERS = ["chrome113", "edge113", "safari26", "firefox141"];
