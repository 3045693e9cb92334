/// <reference lib="dom" />
/** What several parts of the page need to know of the browser. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** The width of an element in pixels, and what it is told by. */
export function useWidth<T extends HTMLElement>(): [{ current: T | null }, number] {
  const element = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.round(element.current!.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** Calls back before the page is printed, and after. */
export function usePrinting(before: () => void, after: () => void = () => {}): void {
  const calls = useRef({ before, after });
  calls.current = { before, after };
  useEffect(() => {
    const start = () => calls.current.before();
    const end = () => calls.current.after();
    addEventListener("beforeprint", start);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", start);
      removeEventListener("afterprint", end);
    };
  }, []);
}

/** An id that no other part of the page has. */
export { useId } from "preact/hooks";
