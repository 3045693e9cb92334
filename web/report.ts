/** A report: the page and the records of some runs in one file, which needs nothing else. */
import { createHash } from "node:crypto";
import { UserError } from "../base/errors.ts";
import { readBeside } from "../base/host.ts";

/** The page's own parts, as they may stand in it. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/**
 * The parts of the page as it was built.
 *
 * @throws {UserError} when it was not.
 */
export async function pageParts(): Promise<PageParts> {
  const read = async (name: string) => {
    try {
      return new TextDecoder().decode(await readBeside(new URL(`./dist/${name}`, import.meta.url)));
    } catch {
      throw new UserError(`the page is not built (web/dist/${name} is not there): deno task web`);
    }
  };
  return { script: inScript(await read("page.js")), style: await read("page.css") };
}

/** A script without what would end its element, or make a comment of it; these stand in its texts. */
const inScript = (text: string) =>
  text.replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");

/** What a page may do: run its own script, and show pictures that are in it. It asks nobody. */
export function policyOf({ script, style }: PageParts, connect: "'self'" | "'none'"): string {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data: blob:",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** As in page/index.html: without one, a browser would ask for it. */
const ICON =
  `<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M2 16q14-20 28 0-14 20-28 0' fill='%23332288'/%3E%3Ccircle cx='16' cy='16' r='6' fill='%2388ccee'/%3E%3C/svg%3E">`;

/** A whole page as HTML, with what feeds it. */
export function pageHtml(
  parts: PageParts,
  { title, policy, feed }: { title: string; policy: string; feed: string },
): string {
  const text = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text}</title>
${ICON}
<style>${parts.style}</style>
</head>
<body>
<div id="page"></div>
${feed}
<script type="module">${parts.script}</script>
</body>
</html>
`;
}

/**
 * A report of some runs.
 *
 * @param records their lines: {@linkcode readRecord}
 */
export function reportHtml(parts: PageParts, title: string, records: readonly string[]): string {
  // In JSON a "<" is only found in texts, where it may be written otherwise.
  const feed = records.map((lines) =>
    `<script type="application/x-ndjson" class="run">\n${lines.replaceAll("<", "\\u003c")}</script>`
  ).join("\n");
  return pageHtml(parts, { title, policy: policyOf(parts, "'none'"), feed });
}
