// 2-D cross-correlation with a register tile, forward and input gradient alike.
//
//   y[n, m, r·oy + a, q·ox + b] = epilogue( Σ_{c,ky,kx} w[m,c,ky,kx] · x[n, c, s·oy + d·ky + y0, s·ox + d·kx + x0] )
//
// Forward: r = q = 1, a = b = 0, y0 = x0 = −padding. Input gradient of a stride-(r, q) convolution:
// one dispatch for each phase (a, b) of the gradient, s = 1, with the weights that reach that phase.
// x outside the picture is zero. The epilogue is that of epilogue.wgsl, after + bias.
//
// One invocation computes 4·QUADS channels (a block) of TILE neighbouring pixels. Weights are packed
// as ops/conv2d_weights.ts says. GROUPED: a block only reads the inputs of its groups.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let oy = quotient(i32(id.x), P.tiles);
  let tile = i32(id.x) - oy * P.tiles;
  let n = i32(id.y);
  let block = i32(id.z);
  if (oy >= P.rows) { return; }

  #for i in 0..QUADS
  #for j in 0..TILE
  var sum_${i}_${j} = vec${WIDTH}f();
  #end
  #end

  #if KW > 0
  let left = tile * ${TILE * STRIDE} + P.x_start;
  let column = n * P.x_size.w;
  for (var ky = 0; ky < P.kernel_rows; ky++) {
    let iy = oy * P.stride_y + ky * P.dilation_y + P.y_start;
    if (iy < 0 || iy >= P.x_size.z) { continue; }
    let w_row = block * P.kernel_rows + ky;
    var w_column = 0;
    #if GROUPED
    let first = quotient(block * ${4 * QUADS}, P.group_outputs) * P.group_inputs / 4;
    for (var c = first; c < min(first + P.input_quads, P.x_size.y); c++) {
    #else
    for (var c = 0; c < P.x_size.y; c++) {
    #end
      let row = c * P.x_size.z + iy;
      #if ROLLED
      for (var kx = 0; kx < P.kernel_columns; kx++) {
      let at = left + kx * ${DILATION};
      #for j in 0..TILE
      let x_${j * STRIDE} = select(vec4f(), texel_x(column + clamp(at + ${j * STRIDE}, 0, P.x_size.w - 1), row), at + ${j * STRIDE} >= 0 && at + ${j * STRIDE} < P.x_size.w);
      #end
      #else
      {
      #for o in 0..(TILE - 1) * STRIDE + (KW - 1) * DILATION + 1
      #if Array.from({ length: KW }, (_, k) => o - k * DILATION).some((p) => p >= 0 && p % STRIDE === 0 && p / STRIDE < TILE)
      let x_${o} = select(vec4f(), texel_x(column + clamp(left + ${o}, 0, P.x_size.w - 1), row), left + ${o} >= 0 && left + ${o} < P.x_size.w);
      #end
      #end
      #end
      #for i in 0..QUADS
      {
        #for kx in 0..(ROLLED ? 1 : KW)
        #for lane in 0..LANES
        let w_${kx}_${lane} = texel_w(w_column + ${(kx * 4 + lane) * QUADS + i}, w_row)${WIDTH === 3 ? ".xyz" : ""};
        #end
        #end
        #for group in 0..Math.ceil(TILE / 2)
        #for kx in 0..(ROLLED ? 1 : KW)
        #for lane in 0..LANES
        #for j in 2 * group..Math.min(TILE, 2 * group + 2)
        sum_${i}_${j} = fma(w_${kx}_${lane}, vec${WIDTH}f(x_${j * STRIDE + kx * DILATION}.${"xyzw"[lane]}), sum_${i}_${j});
        #end
        #end
        #end
        #end
      }
      #end
      w_column += ${(ROLLED ? 1 : KW) * 4 * QUADS};
      }
    }
  }
  #end

  #for i in 0..QUADS
  {
    let m = block * ${QUADS} + ${i};
    if (m < P.y_size.y) {
      #if BIAS
      let bias = texel_bias(0, m);
      #end
      let y = oy * P.step_y + P.y_phase;
      #for j in 0..TILE
      {
        let ox = tile * ${TILE} + ${j};
        if (ox < P.columns) {
          let x = ox * P.step_x + P.x_phase;
          var v = ${WIDTH === 3 ? "vec4f(sum_" + i + "_" + j + ", 0)" : "sum_" + i + "_" + j};
          #if BIAS
          v += bias;
          #end
          store_y(n, m, y, x, epilogue(n, m, y, x, v));
        }
      }
      #end
    }
  }
  #end
}
