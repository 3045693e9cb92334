/**
 * Compile-time loops and conditions for WGSL, so that a register tile can be written once and
 * unrolled to any size. A kernel stays a readable .wgsl file:
 *
 *     #for j in 0..TILE          repeats the lines up to #end, with j as a constant
 *     #for p of PIXELS           the same for each element of a list
 *     #if BIAS / #else / #end    keeps one branch
 *     ${expression}              a JavaScript expression over the constants
 *
 * Expressions should be no more than sums and products of constants, elements of lists and names of
 * lanes (`v.${xyzw[lane]}`): what takes more is a constant with a name, made by whoever expands it.
 */

/** Constants a template is expanded with. */
export type Defines = Readonly<Record<string, unknown>>;

type Block = { line: string } | { loop: Repetition } | { condition: Condition };
/** Over whole numbers, or over a list. */
type Repetition =
  & { variable: string; body: Block[] }
  & ({ from: string; to: string } | { list: string });
interface Condition {
  test: string;
  then: Block[];
  otherwise: Block[];
}

function parse(lines: string[], position: { at: number }, inBlock: boolean): Block[] {
  const blocks: Block[] = [];
  while (position.at < lines.length) {
    const line = lines[position.at++]!;
    const directive = line.trim();
    const loop = /^#for (\w+) in (.+?)\.\.(.+)$/.exec(directive);
    const listed = /^#for (\w+) of (.+)$/.exec(directive);
    const condition = /^#if (.+)$/.exec(directive);
    if (loop) {
      const [, variable, from, to] = loop as unknown as [string, string, string, string];
      blocks.push({ loop: { variable, from, to, body: parse(lines, position, true) } });
    } else if (listed) {
      const [, variable, list] = listed as unknown as [string, string, string];
      blocks.push({ loop: { variable, list, body: parse(lines, position, true) } });
    } else if (condition) {
      const then = parse(lines, position, true);
      const hasElse = lines[position.at - 1]!.trim() === "#else";
      const otherwise = hasElse ? parse(lines, position, true) : [];
      blocks.push({ condition: { test: condition[1]!, then, otherwise } });
    } else if (directive === "#end" || directive === "#else") {
      if (!inBlock) throw new SyntaxError(`line ${position.at}: ${directive} without #for or #if`);
      return blocks;
    } else blocks.push({ line });
  }
  if (inBlock) throw new SyntaxError("#for or #if without #end");
  return blocks;
}

/** A line's text and expressions as one JavaScript expression. */
function lineCode(line: string): string {
  // Text and expressions in turn.
  const parts = line.split(/\$\{([^}]+)\}/);
  return parts.map((part, i) => i % 2 ? `String(${part})` : JSON.stringify(part)).join(" + ");
}

/** JavaScript that pushes the expanded lines onto `out$`. */
function code(blocks: Block[], depth = 0): string {
  return blocks.map((block) => {
    if ("line" in block) return `out$.push(${lineCode(block.line)});`;
    if ("loop" in block) {
      const { variable, body } = block.loop;
      if ("list" in block.loop) {
        return `for (const ${variable} of ${block.loop.list}) {\n${code(body, depth + 1)}\n}`;
      }
      const { from, to } = block.loop;
      const [first, end] = [`first${depth}$`, `end${depth}$`];
      return `{ const ${first} = Number(${from}), ${end} = Number(${to});
for (let ${variable} = ${first}; ${variable} < ${end}; ${variable}++) {
${code(body, depth + 1)}
} }`;
    }
    const { test, then, otherwise } = block.condition;
    return `if (${test}) {\n${code(then, depth + 1)}\n} else {\n${code(otherwise, depth + 1)}\n}`;
  }).join("\n");
}

/**
 * Expands a template.
 *
 * @throws {SyntaxError} when a block is not closed.
 */
export function expandTemplate(template: string, defines: Defines): string {
  const out: string[] = [];
  const blocks = parse(template.split("\n"), { at: 0 }, false);
  const names = { xyzw: "xyzw", ...defines };
  // A tile is thousands of lines; as JavaScript they are made in no time.
  new Function("out$", ...Object.keys(names), code(blocks))(out, ...Object.values(names));
  return out.join("\n");
}
