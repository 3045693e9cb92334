/** Pages with places for what is measured: between `<!-- NAME -->` and `<!-- end -->`. */

/** Fills a place of a page, and formats the page. */
export async function fillPlace(path: string, name: string, text: string): Promise<void> {
  const page = await Deno.readTextFile(path);
  const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
  if (!place.test(page)) throw new Error(`${path} has no place <!-- ${name} -->`);
  await Deno.writeTextFile(
    path,
    page.replace(place, (_, begin, end) => `${begin}\n${text.trim()}\n\n${end}`),
  );
  // Here, because a task hands its arguments to the last of its commands only.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", path] }).output();
}
