/**
 * The parts of imagescript that are used: its own declarations are of the whole, which loads a native
 * module. What reads pictures is WebAssembly.
 */

/** wasm/node/jpeg.js */
export interface JpegModule {
  init(): Promise<{
    decode(bytes: Uint8Array): {
      readonly width: number;
      readonly height: number;
      /** 0 grey, 1 RGB, 2 CMYK, where 255 is all ink. */
      readonly format: 0 | 1 | 2;
      readonly buffer: Uint8Array;
    };
  }>;
}

/** wasm/node/png.js */
export interface PngModule {
  init(): Promise<{
    decode(bytes: Uint8Array): {
      readonly width: number;
      readonly height: number;
      /** RGBA */
      readonly framebuffer: Uint8Array;
    };
  }>;
}

/** wasm/node/gif.js */
export interface GifModule {
  init(): Promise<{
    Decoder: new (bytes: Uint8Array) => {
      readonly width: number;
      readonly height: number;
      /** The next frame; nothing after the last. */
      frame(): {
        readonly x: number;
        readonly y: number;
        readonly width: number;
        readonly height: number;
        /** RGBA */
        readonly buffer: Uint8Array;
      } | null;
    };
  }>;
}

/** png/node.js */
export interface PngWriter {
  encode(
    rgba: Uint8ClampedArray,
    options: { width: number; height: number; level: number; channels: number },
  ): Promise<Uint8Array>;
}
