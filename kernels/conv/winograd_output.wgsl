// The output transform of Winograd's algorithm F(R×R, 3×3): y = Aᵀ·m·A of each tile m of the sums,
// then the epilogue. Where tiles lie is said in winograd_input.wgsl. AT_M[b] declares column b of
// s = Aᵀ·m, and S_A[a] row a of y = s·A.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = i32(id.x);
  let c = i32(id.y);
  if (column >= P.count) { return; }
  let line = quotient(P.first + column, P.across);
  let n = quotient(line, P.down);
  let top = (line - n * P.down) * ${R};
  let left = (P.first + column - line * P.across) * ${R};
  // Aᵀ·m, column by column.
  #for b in 0..SIZE
  #for a in 0..SIZE
  let m_${a}_${b} = load_m(0, c, ${a * SIZE + b}, column);
  #end
  ${AT_M[b]}
  #end
  #if BIAS
  let bias = texel_bias(0, c);
  #end
  #for a in 0..R
  ${S_A[a]}
  #for b in 0..R
  if (top + ${a} < P.y_size.z && left + ${b} < P.y_size.w) {
    #if BIAS
    let sum = y_${a}_${b} + bias;
    #else
    let sum = y_${a}_${b};
    #end
    store_y(n, c, top + ${a}, left + ${b}, epilogue(n, c, top + ${a}, left + ${b}, sum));
  }
  #end
  #end
}
