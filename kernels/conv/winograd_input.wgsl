// The input transform of Winograd's algorithm F(R×R, 3×3): V = Bᵀ·d·B of each tile d of
// SIZE×SIZE pixels, SIZE = R + 2; tiles start R pixels apart, and x is zero outside the picture.
//
// Tile t (counted through the pictures, row by row, from P.first on) lies in column t − first of v;
// its element (a, b), of channel quad c, in row SIZE·a + b of that quad. BT_D and E_B are statements that multiply, made by ops/conv2d/winograd.ts:
// BT_D[b] declares column b of e = Bᵀ·d, and E_B[a] row a of v = e·B.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = i32(id.x);
  let c = i32(id.y);
  if (column >= P.count) { return; }
  let line = quotient(P.first + column, P.across);
  let n = quotient(line, P.down);
  let top = (line - n * P.down) * ${R} + P.y_start;
  let left = (P.first + column - line * P.across) * ${R} + P.x_start;
  let x_column = n * P.x_size.w;
  let x_row = c * P.x_size.z;
  #for b in 0..SIZE
  let x_${b} = x_column + clamp(left + ${b}, 0, P.x_size.w - 1);
  let in_${b} = left + ${b} >= 0 && left + ${b} < P.x_size.w;
  #end
  #for a in 0..SIZE
  let y_${a} = x_row + clamp(top + ${a}, 0, P.x_size.z - 1);
  let inside_${a} = top + ${a} >= 0 && top + ${a} < P.x_size.z;
  #end
  // Bᵀ·d, column by column.
  #for b in 0..SIZE
  #for a in 0..SIZE
  let d_${a}_${b} = select(vec4f(), texel_x(x_${b}, y_${a}), inside_${a} && in_${b});
  #end
  ${BT_D[b]}
  #end
  #for a in 0..SIZE
  ${E_B[a]}
  #for b in 0..SIZE
  store_v(0, c, ${a * SIZE + b}, column, v_${a}_${b});
  #end
  #end
}
