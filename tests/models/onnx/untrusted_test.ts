/** ONNX graphs that ask for more than there is. */
import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { bytesInMemory } from "../../../models/formats/byte_source.ts";
import { OnnxFile } from "../../../models/formats/onnx/onnx_file.ts";
import { OnnxNetwork } from "../../../models/onnx/onnx_network.ts";
import { traceModel } from "../../../models/trace.ts";

type Message = (writer: BinaryWriter) => unknown;

const within = (field: number, message: Message): Message => (writer) => {
  writer.tag(field, WireType.LengthDelimited).fork();
  message(writer);
  writer.join();
};
const text = (field: number, value: string): Message => (writer) =>
  writer.tag(field, WireType.LengthDelimited).string(value);
const int = (field: number, value: number): Message => (writer) =>
  writer.tag(field, WireType.Varint).int64(value);
const all = (...messages: readonly Message[]): Message => (writer) =>
  messages.forEach((message) => message(writer));

const INT64 = 7, FLOAT = 1;

/** Whole numbers that are known. */
const known = (name: string, values: readonly number[]) =>
  within(
    5,
    all(int(1, values.length), int(2, INT64), text(8, name), ...values.map((v) => int(7, v))),
  );
const node = (type: string, inputs: readonly string[], output: string) =>
  within(1, all(...inputs.map((input) => text(1, input)), text(2, output), text(4, type)));

/** An input or output of these sizes. */
const info = (field: number, name: string, dims: readonly number[]) => {
  const shape = all(...dims.map((size) => within(1, int(1, size))));
  return within(
    field,
    all(text(1, name), within(2, within(1, all(int(1, FLOAT), within(2, shape))))),
  );
};

/** A network of one picture [1,3,8,8] whose output is called y. */
function network(...parts: readonly Message[]): OnnxFile {
  const writer = new BinaryWriter();
  const graph = all(...parts, info(11, "x", [1, 3, 8, 8]), info(12, "y", [1, 3, 8, 8]));
  all(int(1, 8), within(7, graph), within(8, all(text(1, ""), int(2, 17))))(writer);
  return new OnnxFile("bad.onnx", bytesInMemory(writer.finish()), () => {
    throw new Error("nothing lies beside it");
  });
}

Deno.test("sizes in a graph are refused when they are more than any picture has", async (t) => {
  const cases: readonly (readonly [what: string, file: OnnxFile, said: RegExp])[] = [
    [
      "resized",
      network(known("sizes", [1, 3, 2 ** 40, 8]), node("Resize", ["x", "", "", "sizes"], "y")),
      /axis 2 would have 1099511627776 elements/,
    ],
    [
      "repeated",
      network(known("times", [1, 1, 2 ** 28, 1]), node("Tile", ["x", "times"], "y")),
      /8 elements 268435456 times/,
    ],
    [
      "a constant",
      network(
        known("dims", [2 ** 16, 2 ** 16]),
        node("ConstantOfShape", ["dims"], "c"),
        node("Add", ["x", "c"], "y"),
      ),
      /a constant of \[65536,65536\] numbers is too large/,
    ],
  ];
  for (const [what, file, said] of cases) {
    await t.step(what, () => {
      const { stopped } = traceModel({ name: what, root: new OnnxNetwork(file) }, [1, 3, 8, 8]);
      assert.match(stopped ?? "", said);
    });
  }
});
