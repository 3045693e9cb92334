/** Operators of ONNX by name. */
import type { Operator } from "../call.ts";

/** A part of the table. */
export type Operators = Readonly<Record<string, Operator>>;
