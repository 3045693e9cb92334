// TypeScript does not know imports of sources yet.
import source module from "@jsquash/avif/codec/dec/avif_dec.wasm";
export default module;
