/** A decoder in WebAssembly, compiled. */
declare const module: WebAssembly.Module;
export default module;
