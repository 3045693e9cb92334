import assert from "node:assert/strict";
import { CODE_VERSION } from "../../base/code_version.ts";
import { codeVersion } from "../../scripts/code_version.ts";

Deno.test("the code's version is that of the code", () => {
  assert.equal(
    CODE_VERSION,
    codeVersion(),
    "kernels, ops, models or vis/photos changed, so what caches hold may be wrong; " +
      "run: deno task code-version",
  );
});
