// TypeScript does not know imports of sources yet.
import source module from "@jsquash/webp/codec/dec/webp_dec.wasm";
export default module;
