// 2-D cross-correlation with a register tile, forward and input gradient alike.
//
//   y[n, m, r·oy + a, q·ox + b] = epilogue( Σ_{c,ky,kx} w[m,c,ky,kx] · x[n, c, s·oy + d·ky + y0, s·ox + d·kx + x0] )
//
// Forward: r = q = 1, a = b = 0, y0 = x0 = −padding. Input gradient of a stride-(r, q) convolution:
// s = 1, for each phase (a, b) of the gradient with the weights that reach it. A dispatch has one phase
// of the rows, and PHASES of the columns: column k of the filter belongs to phase PHASE[k] and reads
// x from OFFSET[k] on. All that a tile needs of a row are the pixels READ.
// x outside the picture is zero. The epilogue is that of epilogue.wgsl, after + bias.
//
// One invocation computes 4·QUADS channels (a block) of TILE neighbouring pixels, and a turn of its
// loop adds COLUMNS columns of the filter: all KW, or one (ROLLED). The sums of two pixels at a time
// stay in registers while all they need is added, and workgroups that follow each other read the same
// pixels of x. Weights are packed as ops/conv2d/weights.ts says. The pixels of a tile are in
// groups of neighbours, TOGETHER.
// GROUPED: a block only reads the inputs of its groups. With at most three inputs LANES is their
// number; with three outputs WIDTH is 3. EDGE: the last tile of a row is not full.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let block = i32(group.x);
  let place = i32(group.y * ${WORKGROUP} + index);
  let n = i32(group.z);
  let oy = quotient(place, P.tiles);
  let tile = place - oy * P.tiles;
  if (oy >= P.rows) { return; }

  #for i in 0..QUADS
  #for b in 0..PHASES
  #for j in 0..TILE
  var sum_${i}_${b}_${j} = vec${WIDTH}f();
  #end
  #end
  #end

  let top = oy * P.stride_y + P.y_start;
  let left = tile * ${TILE * STRIDE} + P.x_start;
  let column = n * P.x_size.w;
  #if GROUPED
  let first = quotient(block * ${4 * QUADS}, P.group_outputs) * P.group_inputs / 4;
  #end
  // One loop through rows of the filter, input quads and (ROLLED) its columns: every loop inside
  // another one would copy all sums once more.

  let x_row = P.x_place.x;
  let dilation_x = P.dilation_x;
  let dilation_y = P.dilation_y;
  let kernel_columns = P.kernel_columns;
  let input_quads = P.input_quads;
  let first_w_row = P.w_place.x + block * P.kernel_rows;
  let turns = P.turns;
  var ky = 0;
  var c = 0;
  var kx = 0;
  var w_column = 0;
  for (var turn = 0; turn < turns; turn++) {
    let iy = top + ky * dilation_y;
    #if GROUPED
    let row = x_row + min(first + c, P.x_size.y - 1) * P.x_size.z + clamp(iy, 0, P.x_size.z - 1);
    #else
    let row = x_row + c * P.x_size.z + clamp(iy, 0, P.x_size.z - 1);
    #end
    let end = select(0, P.x_size.w, iy >= 0 && iy < P.x_size.z);
    let at = left + kx * dilation_x;
    #for o of READ
    let x_${o} = select(vec4f(), sheet_x(column + clamp(at + ${o}, 0, P.x_size.w - 1), row), at + ${o} >= 0 && at + ${o} < end);
    #end
    let w_row = first_w_row + ky;
    #for i in 0..QUADS
    {
      #for k in 0..COLUMNS
      #for lane in 0..LANES
      #if WIDTH === 3
      let w_${k}_${lane} = sheet_w(w_column + ${(k * 4 + lane) * QUADS + i}, w_row).xyz;
      #else
      let w_${k}_${lane} = sheet_w(w_column + ${(k * 4 + lane) * QUADS + i}, w_row);
      #end
      #end
      #end
      #for neighbours of TOGETHER
      #for k in 0..COLUMNS
      #for lane in 0..LANES
      #for j of neighbours
      sum_${i}_${PHASE[k]}_${j} = fma(w_${k}_${lane}, vec${WIDTH}f(x_${j * STRIDE + OFFSET[k]}.${xyzw[lane]}), sum_${i}_${PHASE[k]}_${j});
      #end
      #end
      #end
      #end
    }
    #end
    w_column += ${COLUMNS * 4 * QUADS};
    #if ROLLED
    kx++;
    let next_c = kx == kernel_columns;
    kx = select(kx, 0, next_c);
    c += select(0, 1, next_c);
    #else
    c++;
    #end
    let next_ky = c == input_quads;
    c = select(c, 0, next_ky);
    w_column = select(w_column, 0, next_ky);
    ky += select(0, 1, next_ky);
  }

  #for i in 0..QUADS
  {
    let m = block * ${QUADS} + ${i};
    if (m < P.y_size.y) {
      #if BIAS
      let bias = texel_bias(0, m);
      #end
      let y = oy * P.step_y + P.y_phase;
      #for j in 0..TILE
      #for b in 0..PHASES
      {
        let x = (tile * ${TILE} + ${j}) * P.step_x + P.x_phase + ${b};
        #if EDGE
        if (x < P.y_size.w) {
        #else
        {
        #end
          #if WIDTH === 3
          var v = vec4f(sum_${i}_${b}_${j}, 0);
          #else
          var v = sum_${i}_${b}_${j};
          #end
          #if BIAS
          v += bias;
          #end
          store_y(n, m, y, x, epilogue(n, m, y, x, v));
        }
      }
      #end
      #end
    }
  }
  #end
}
