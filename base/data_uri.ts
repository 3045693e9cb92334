/** Bytes as an address that holds them: how a page or a drawing carries its pictures. */

/**
 * @param type such as `image/webp`
 */
export function dataUri(bytes: Uint8Array, type: string): string {
  return `data:${type};base64,${bytes.toBase64()}`;
}
