/// <reference lib="dom" />
/** Drawings as files: SVG as it is, PNG as the browser draws it. */
import { render, type VNode } from "preact";

/** A canvas has no room for more pixels on a side; Safari's has the least. */
const MOST_PIXELS = 16_384;

/** Gives a file to whoever looks at the page. */
export function download(name: string, file: Blob): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(file);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A drawing as the text of an SVG file. */
function svgOf(drawing: VNode): { text: string; width: number; height: number } {
  const place = document.createElement("div");
  render(drawing, place);
  const svg = place.querySelector("svg")!;
  const text = new XMLSerializer().serializeToString(svg);
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
  render(null, place);
  return { text, width: width!, height: height! };
}

/** A name that any file may have. */
function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "_").replace(/^[._]+/, "").slice(0, 80) || "run";
}

/** Saves a drawing. */
export async function save(drawing: VNode, title: string, format: "svg" | "png"): Promise<void> {
  const { text, width, height } = svgOf(drawing);
  const name = `${fileName(title)}.${format}`;
  if (format === "svg") return download(name, new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  // A blob's address would make the canvas unreadable in a page that was opened from a disk.
  image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  await image.decode();
  const scale = Math.min(2, MOST_PIXELS / width, MOST_PIXELS / height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(scale * width);
  canvas.height = Math.round(scale * height);
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  const png = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!png) throw new Error("the browser could not draw this as PNG; SVG it can");
  download(name, png);
}
