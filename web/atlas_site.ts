/** The pages of an atlas as files: see `web/atlas/`. */
import { UserError } from "../base/errors.ts";
import { readBeside } from "../base/host.ts";

/**
 * The script and the style, as they were built.
 *
 * @throws {UserError} when they were not.
 */
export async function atlasParts(): Promise<{ script: string; style: string }> {
  const read = async (name: string) => {
    try {
      return new TextDecoder().decode(await readBeside(new URL(`./dist/${name}`, import.meta.url)));
    } catch {
      throw new UserError(`the page is not built (web/dist/${name} is not there): deno task web`);
    }
  };
  return {
    script: await read("atlas.js"),
    style: await read("page.css") + await read("atlas.css"),
  };
}

/** The page, which loads all else from `site/`. */
export function atlasHtml(title: string): string {
  const text = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${text}</title>
<link rel="stylesheet" href="site/atlas.css">
</head>
<body>
<div id="atlas"></div>
<script src="site/atlas.js"></script>
</body>
</html>
`;
}
