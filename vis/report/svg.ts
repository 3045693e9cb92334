/** SVG files: drawings with text in any script, in light and dark, that every browser opens. */

/** A whole drawing. */
export interface Drawing {
  /** In pixels; it shrinks to a narrower window. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** What it is called. */
  readonly title: string;
  /** What is to be seen on it, for those who do not see it. */
  readonly description: string;
  /** What is drawn, as SVG. */
  readonly body: string;
}

const XHTML = "http://www.w3.org/1999/xhtml";

// Without variables, which programs other than browsers do not know; these show the light one.
const STYLE = `
svg { color-scheme: light dark; }
svg:root { display: block; max-width: 100%; height: auto; margin: 0 auto; background: #ffffff; }
.paper { fill: #ffffff; }
.ink { fill: #222222; }
.rim { stroke: #ffffff; }
.hollow { fill: #ffffff; }
text, .text { font-family: system-ui, "Segoe UI", "Noto Sans", sans-serif; }
.text { color: #222222; display: -webkit-box; -webkit-box-orient: vertical; overflow: hidden;
  overflow-wrap: anywhere; line-height: 1.35; }
@media (prefers-color-scheme: dark) {
  svg:root { background: #16181d; }
  .paper { fill: #16181d; }
  .ink { fill: #e8e8e8; }
  .rim { stroke: #d0d4dc; }
  .hollow { fill: #d0d4dc; }
  .text { color: #e8e8e8; }
}
`;

/** What XML has no way to say: most control characters, halves of characters, two that are none. */
// deno-lint-ignore no-control-regex
const UNSPEAKABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // Else a line's end, which names of files may have, becomes another one.
  "\r": "&#13;",
};

/** A text as it stands in XML, between tags or in an attribute; what XML cannot say is U+FFFD. */
export function escapeXml(text: string): string {
  return text.toWellFormed().replaceAll(UNSPEAKABLE, "\ufffd")
    .replaceAll(/[&<>"'\r]/g, (character) => ENTITIES[character]!);
}

/** A number as short as it can be without being seen to differ. */
export const short = (value: number): string => String(Math.round(100 * value) / 100);

/** The text of an SVG file. */
export function svgFile({ width, height, title, description, body }: Drawing): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" ` +
    `viewBox="0 0 ${w} ${h}" role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(description)}</desc>
<style>${STYLE}</style>
<rect class="paper" width="100%" height="100%"/>
${body}
</svg>
`;
}

/** How a text is set. */
export interface TextBox {
  /** Its left end. */
  readonly x: number;
  /** Its top. */
  readonly y: number;
  /** Where it must end, that far from its left end. */
  readonly width: number;
  /** Size of its letters. */
  readonly size: number;
  /** Lines, at most; the last one ends in an ellipsis where there is more (1). */
  readonly lines?: number;
  /** In the middle of its width; else it begins at the left. */
  readonly centred?: boolean;
  /** Whether it is a heading. */
  readonly bold?: boolean;
}

/** Height of some lines of text. */
export const heightOf = (size: number, lines: number): number => Math.ceil(1.35 * size * lines);

/**
 * A text of some lines, cut by who shows it where it is longer; pointed at, it is there as a whole.
 * Browsers, which know how wide letters are, get it as HTML; other programs one line of it.
 */
export function textBox(
  text: string,
  { x, y, width, size, lines = 1, centred = false, bold = false }: TextBox,
): string {
  const weight = bold ? "600" : "400";
  const whole = escapeXml(text);
  const [at, anchor] = centred ? [x + width / 2, "middle"] : [x, "start"];
  return `<g><title>${whole}</title><switch>` +
    `<foreignObject requiredExtensions="${XHTML}" x="${short(x)}" y="${short(y)}" ` +
    `width="${short(width)}" height="${heightOf(size, lines)}">` +
    `<div xmlns="${XHTML}" class="text" dir="auto" style="font-size:${size}px;` +
    `font-weight:${weight};-webkit-line-clamp:${lines}${centred ? ";text-align:center" : ""}">` +
    `${whole}</div></foreignObject>` +
    `<text class="ink" x="${short(at)}" y="${short(y + size)}" font-size="${size}" ` +
    `font-weight="${weight}" text-anchor="${anchor}">` +
    `${escapeXml(cutTo(text, width / size))}</text></switch></g>`;
}

/** The beginning of a text that takes no more than some widths of an em, as far as one can tell. */
function cutTo(text: string, ems: number): string {
  let room = ems;
  const fitting: string[] = [];
  for (const character of text) {
    // From the scripts of East Asia on, characters are wide.
    room -= character.codePointAt(0)! >= 0x2e80 ? 1.05 : 0.58;
    if (room < 0) return fitting.slice(0, -1).join("") + "…";
    fitting.push(character);
  }
  return text;
}

/**
 * A picture in a square.
 *
 * @param href a data URI
 * @param title what it is when it is pointed at
 */
export function imageAt(
  href: string,
  { x, y, side, title }: { x: number; y: number; side: number; title: string },
): string {
  return `<image href="${escapeXml(href)}" x="${short(x)}" y="${short(y)}" width="${
    short(side)
  }" ` +
    `height="${short(side)}" preserveAspectRatio="none"><title>${escapeXml(title)}</title></image>`;
}
