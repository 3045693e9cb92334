/** As much of `node:assert/strict` as tests use that run in a page; see import_map.json. */

class AssertionError extends Error {
  override name = "AssertionError";
}

function ok(value: unknown, message?: string): asserts value {
  if (!value) throw new AssertionError(message ?? `expected something true, got ${value}`);
}

function equal(actual: unknown, expected: unknown, message?: string): void {
  ok(Object.is(actual, expected), `${message ?? "equal"}: expected ${expected}, got ${actual}`);
}

/** Of what JSON can tell apart. */
function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  equal(JSON.stringify(actual), JSON.stringify(expected), message);
}

export default { ok, equal, deepEqual };
