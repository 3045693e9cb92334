/**
 * Compile-time loops and conditions for WGSL, so that a register tile can be written once and
 * unrolled to any size. A kernel stays a readable .wgsl file:
 *
 *     #for j in 0..TILE          repeats the lines up to #end, with j as a constant
 *     #if BIAS / #else / #end    keeps one branch
 *     ${expression}              a JavaScript expression over the constants
 */

/** Constants a template is expanded with. */
export type Defines = Readonly<Record<string, unknown>>;

type Scope = Record<string, unknown>;
type Block = { line: string } | { loop: Loop } | { condition: Condition };
interface Loop {
  variable: string;
  from: string;
  to: string;
  body: Block[];
}
interface Condition {
  test: string;
  then: Block[];
  otherwise: Block[];
}

const compiled = new Map<string, (...values: unknown[]) => unknown>();

function evaluate(expression: string, scope: Scope): unknown {
  const names = Object.keys(scope);
  const key = `${names.join()}|${expression}`;
  let run = compiled.get(key);
  if (!run) {
    run = new Function(...names, `return (${expression});`) as (...values: unknown[]) => unknown;
    compiled.set(key, run);
  }
  return run(...Object.values(scope));
}

function parse(lines: string[], position: { at: number }, inBlock: boolean): Block[] {
  const blocks: Block[] = [];
  while (position.at < lines.length) {
    const line = lines[position.at++]!;
    const directive = line.trim();
    const loop = /^#for (\w+) in (.+?)\.\.(.+)$/.exec(directive);
    const condition = /^#if (.+)$/.exec(directive);
    if (loop) {
      const [, variable, from, to] = loop as unknown as [string, string, string, string];
      blocks.push({ loop: { variable, from, to, body: parse(lines, position, true) } });
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

function render(blocks: Block[], scope: Scope, out: string[]): void {
  for (const block of blocks) {
    if ("line" in block) {
      out.push(block.line.replace(/\$\{([^}]+)\}/g, (_, code) => String(evaluate(code, scope))));
    } else if ("loop" in block) {
      const { variable, from, to, body } = block.loop;
      const end = Number(evaluate(to, scope));
      for (let i = Number(evaluate(from, scope)); i < end; i++) {
        render(body, { ...scope, [variable]: i }, out);
      }
    } else {
      const { test, then, otherwise } = block.condition;
      render(evaluate(test, scope) ? then : otherwise, scope, out);
    }
  }
}

/**
 * Expands a template.
 *
 * @throws {SyntaxError} when a block is not closed.
 */
export function expand(template: string, defines: Defines): string {
  const out: string[] = [];
  render(parse(template.split("\n"), { at: 0 }, false), { ...defines }, out);
  return out.join("\n");
}
