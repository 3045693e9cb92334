/** Loads the pieces of an atlas when they are needed. */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";

const known = new Map<string, unknown>();
const waiting = new Map<string, Promise<void>>();

/** What the pieces, which are scripts, call: files may be opened without a server. */
(globalThis as unknown as { atlasPiece: (name: string, value: unknown) => void }).atlasPiece = (
  name,
  value,
) => known.set(name, value);

function load(name: string): Promise<void> {
  const before = waiting.get(name);
  if (before) return before;
  const loaded = new Promise<void>((resolve) => {
    const script = document.createElement("script");
    script.src = `site/${name}.js`;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => resolve());
    document.head.append(script);
  });
  waiting.set(name, loaded);
  return loaded;
}

/** A piece; nothing while it loads, or where none is wanted. */
export function usePiece<T>(name: string | undefined): T | undefined {
  const [, setLoaded] = useState("");
  useEffect(() => {
    if (name !== undefined) load(name).then(() => setLoaded(name));
  }, [name]);
  return name === undefined ? undefined : known.get(name) as T | undefined;
}
