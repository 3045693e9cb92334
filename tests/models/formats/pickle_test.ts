/** Pickles are read without executing anything; what is not known is refused by name. */
import assert from "node:assert/strict";
import { UserError } from "../../../base/errors.ts";
import { PickleName, readPickle } from "../../../models/formats/pickle.ts";

const world = {
  file: "some.pth",
  names: new Map([["collections.OrderedDict", new PickleName("OrderedDict", () => new Map())]]),
  persistent: (id: unknown) => [id as string],
};
const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

Deno.test("a pickle of containers, numbers and known names is read", () => {
  const pickle = "\x80\x02ccollections\nOrderedDict\n)Rq\x00(X\x01\x00\x00\x00aK\x07" +
    "X\x09\x00\x00\x00__proto__J\xfe\xff\xff\xffu}b.";
  const { value, end } = readPickle(bytes(pickle), world);
  assert.equal(end, pickle.length);
  assert.deepEqual([...value as Map<unknown, unknown>], [["a", 7], ["__proto__", -2]]);
  assert.deepEqual(readPickle(bytes("X\x01\x00\x00\x00kQ."), world).value, ["k"]);
});

Deno.test("whatever is not known or broken is refused in one line", () => {
  const refused: [string, RegExp][] = [
    ["cos\nsystem\n(X\x01\x00\x00\x00atR.", /asks for "os.system"/],
    ["\x8c\x08builtins\x8c\x04eval\x93.", /asks for "builtins.eval"/],
    ["(S'ls'\nios\nsystem\n.", /instruction 0x53/],
    ["(ios\nsystem\n.", /instruction 0x69/],
    ["\x82\x01.", /instruction 0x82/],
    ["K\x01)R.", /no name/],
    ["]}b.", /no dict/],
    [")K", /ends too early/],
    ["R", /nothing is left/],
    ["(0", /nothing is left/],
    ["h\x05.", /remembered as 5/],
    ["X\xff\xff\xff\xff", /ends too early/],
    ["t", /no mark/],
    ["]".repeat(2 ** 18 + 1), /containers/],
  ];
  for (const [pickle, reason] of refused) {
    assert.throws(() => readPickle(bytes(pickle), world), (error) => {
      assert(error instanceof UserError, `${error}`);
      assert.match(error.message, reason);
      return error.message.startsWith("some.pth: ") && !error.message.includes("\n");
    });
  }
});

Deno.test("nesting is no recursion", () => {
  readPickle(bytes("]" + "\x85".repeat(200_000) + "."), world);
});
