// Weights [O,I,kh,kw] in the order in which conv2d.wgsl (QUADS > 0) or depthwise_conv2d.wgsl
// (QUADS = 0) read them; ops/conv2d/weights.ts says which order that is. The kernel's w[m,c,ky,kx]
// is the stored [m, c of its group] or, TRANSPOSED, [c, m of its group]; zero between groups.

fn stored(m: i32, c: i32, ky: i32, kx: i32) -> f32 {
  let group = quotient(m, P.group_outputs);
  if (m >= P.outputs || c >= P.inputs || group != quotient(c, P.group_inputs)) { return 0; }
  #if TRANSPOSED
  let o = c;
  let i = m - group * P.group_outputs;
  #else
  let o = m;
  let i = c - group * P.group_inputs;
  #end
  return load_w(o, i >> 2, P.first_row + P.row_step * ky, P.first_column + P.column_step * kx)[i & 3];
}

// The packed texels are channels of the result, four by four: row of the sheet, column.
fn compute(n: i32, row: i32, y: i32, column: i32) {
  let b = quotient(row, P.rows);
  let ky = row - b * P.rows;
  var v = vec4f();
  #if QUADS === 0
  for (var i = 0; i < 4; i++) { v[i] = stored(4 * b + i, 4 * b + i, ky, column); }
  #else
  let t = quotient(column, ${QUADS});
  let quad = column - t * ${QUADS};
  let local = quotient(t >> 2, P.columns);
  let kx = (t >> 2) - local * P.columns;
  let first = quotient(b * ${4 * QUADS}, P.group_outputs) * P.group_inputs / 4;
  let c = (first + local) * 4 + (t & 3);
  for (var i = 0; i < 4; i++) { v[i] = stored((b * ${QUADS} + quad) * 4 + i, c, ky, kx); }
  #end
  store_y(n, row, y, column, v);
}
