// TypeScript does not know imports of sources yet.
import source module from "@jsquash/webp/codec/enc/webp_enc_simd.wasm";
export default module;
