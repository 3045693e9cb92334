import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { expandTemplate } from "../../kernels/runtime/template.ts";

Deno.test("a template without directives stays as it is", () => {
  assert.equal(
    expandTemplate("let x = 1;\n\n  // #not a directive\n", {}),
    "let x = 1;\n\n  // #not a directive\n",
  );
});

Deno.test("an expression is replaced by its value", () => {
  assert.equal(expandTemplate('a ${N + 1} ${"xyzw"[N]} ${N > 1 ? "b" : "c"}', { N: 2 }), "a 3 z b");
});

Deno.test("a loop repeats its lines with the variable as a constant", () => {
  assert.equal(expandTemplate("#for i in 0..N\nx${i}\n#end\ny", { N: 3 }), "x0\nx1\nx2\ny");
});

Deno.test("a loop's bounds are expressions and may be empty", () => {
  assert.equal(
    expandTemplate("#for i in A - 1..(A + 1) * B\n${i}\n#end", { A: 1, B: 2 }),
    "0\n1\n2\n3",
  );
  assert.equal(expandTemplate("a\n#for i in 2..2\nx\n#end\nb", {}), "a\nb");
});

Deno.test("a loop over a list has its elements as constants", () => {
  const template = "#for p of PIXELS\n#for q of p.near\n${p.at}${q}\n#end\n#end\nend";
  const PIXELS = [{ at: 7, near: [6, 8] }, { at: 9, near: [] }];
  assert.equal(expandTemplate(template, { PIXELS }), "76\n78\nend");
  assert.equal(expandTemplate("#for i of LIST\nx\n#end", { LIST: [] }), "");
  assert.throws(() => expandTemplate("#for i of LIST\nx", { LIST: [1] }), SyntaxError);
});

Deno.test("lanes have names", () => {
  assert.equal(expandTemplate("#for i in 0..4\nv.${xyzw[i]}\n#end", {}), "v.x\nv.y\nv.z\nv.w");
});

Deno.test("a condition keeps one branch", () => {
  const template = "#if K > 1\nmany\n#else\none\n#end";
  assert.equal(expandTemplate(template, { K: 2 }), "many");
  assert.equal(expandTemplate(template, { K: 1 }), "one");
  assert.equal(expandTemplate("a\n#if K\nb\n#end\nc", { K: false }), "a\nc");
});

Deno.test("loops and conditions nest", () => {
  const template = `
    #for i in 0..3
    #if i !== 1
    #for j in 0..i
    \${i}\${j}
    #end
    #else
    #if LAST
    never
    #else
    one
    #end
    #end
    #end`;
  const lines = expandTemplate(template, { LAST: false }).split("\n").map((line) => line.trim());
  assert.deepEqual(lines.filter(Boolean), ["one", "20", "21"]);
});

Deno.test("an inner loop hides a constant of the same name only inside", () => {
  assert.equal(expandTemplate("${i}\n#for i in 0..1\n${i}\n#end\n${i}", { i: 7 }), "7\n0\n7");
});

Deno.test("a block that is not closed is an error, and so is a close without a block", () => {
  assert.throws(() => expandTemplate("#for i in 0..2\nx", {}), SyntaxError);
  assert.throws(() => expandTemplate("#if true\nx\n#else\ny", {}), SyntaxError);
  assert.throws(() => expandTemplate("x\n#end", {}), /line 2: #end without #for or #if/);
  assert.throws(() => expandTemplate("#else", {}), /line 1: #else/);
});

Deno.test("an unknown name in a template is an error", () => {
  assert.throws(() => expandTemplate("${MISSING}", {}), /MISSING/);
  assert.throws(() => expandTemplate("#if MISSING\n#end", {}), /MISSING/);
});

Deno.test("kernels read as WGSL: no program hides in their templates", () => {
  const folder = new URL("../../kernels/", import.meta.url);
  const hidden = /=>|Math\.|Array\.|["'`?]|\.\w+\(/; // functions, calls, texts, choices
  const wrong: string[] = [];
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".wgsl")) continue;
    const source = readFileSync(new URL(file, folder), "utf8");
    const loops = [...source.matchAll(/^\s*#for (.*)$/gm)].map(([, loop]) => loop!);
    const values = [...source.matchAll(/\$\{([^}]*)\}/g)].map(([, value]) => value!);
    wrong.push(
      ...[...loops, ...values].filter((text) => hidden.test(text)).map((text) =>
        `${file}: ${text}`
      ),
    );
    // Conditions may compare with a text.
    const tests = [...source.matchAll(/^\s*#if (.*)$/gm)].map(([, test]) => test!);
    wrong.push(...tests.filter((text) => hidden.test(text.replace(/[!=]== "[\w ]+"/g, ""))));
  }
  assert.deepEqual(wrong, []);
});
