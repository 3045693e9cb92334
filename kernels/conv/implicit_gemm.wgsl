// 2-D cross-correlation as a matrix product whose operands a workgroup stages in memory of its own:
// for GPUs, where that is fast and registers are few. The same sum as in conv2d.wgsl,
//
//   y[n, m, r·oy + a, q·ox + b] = epilogue( Σ_k w[m, k] · x[n, c, s·oy + d·ky + y0, s·ox + d·kx + x0] ),
//
// k running through ky, c, kx (a quad of inputs at a time), with positions (n, oy, ox) in one row.
// BATCHED: the products of Winograd's algorithm; positions are columns, workgroups along z matrices,
// and weights lie as in gemm.wgsl, TRANSPOSED (which is BATCHED) or not.
//
// A workgroup computes ACROSS·TILE positions of DOWN blocks of 4·QUADS channels; an invocation, TILE
// positions (ACROSS apart, so that neighbours store to neighbours) of one block. A turn of the loop
// stages STEP quads of inputs. Weights are packed as ops/conv2d/weights.ts says. An invocation stages
// STAGES_X texels of x and STAGES_W of w in a turn, at most.

var<workgroup> staged_x: array<vec4f, ${STEP * ACROSS * TILE}>;
var<workgroup> staged_w: array<vec4f, ${STEP * DOWN * 4 * QUADS}>;

@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let across = i32(local.x);
  let down = i32(local.y);
  let thread = down * ${ACROSS} + across;
  let first = i32(group.x) * ${ACROSS * TILE};
  let first_block = i32(group.y) * ${DOWN};
  let block = first_block + down;
  let picture = P.rows * P.columns;
  #if BATCHED
  let matrix = i32(group.z);
  #end

  #for i in 0..QUADS
  #for j in 0..TILE
  var sum_${i}_${j} = vec4f();
  #end
  #end

  // What this invocation stages of x: the same positions in every turn.
  #for s in 0..STAGES_X
  let p_${s} = first + (thread + ${s * ACROSS * DOWN}) % ${ACROSS * TILE};
  let k_${s} = (thread + ${s * ACROSS * DOWN}) / ${ACROSS * TILE};
  #if BATCHED
  let column_${s} = 0;
  let top_${s} = matrix;
  let left_${s} = p_${s};
  #else
  let n_${s} = p_${s} / picture;
  let oy_${s} = (p_${s} - n_${s} * picture) / P.columns;
  let column_${s} = n_${s} * P.x_size.w;
  let top_${s} = oy_${s} * P.stride_y + P.y_start;
  let left_${s} = (p_${s} - n_${s} * picture - oy_${s} * P.columns) * P.stride_x + P.x_start;
  #end
  #end

  let taps_of_row = P.input_quads * P.kernel_columns;
  for (var turn = 0; turn < P.turns; turn += ${STEP}) {
    #for s in 0..STAGES_X
    if (k_${s} < ${STEP}) {
      let k = turn + k_${s};
      let ky = small_quotient(k, taps_of_row);
      let c = small_quotient(k - ky * taps_of_row, P.kernel_columns);
      let kx = k - ky * taps_of_row - c * P.kernel_columns;
      let iy = top_${s} + ky * P.dilation_y;
      let ix = left_${s} + kx * P.dilation_x;
      let inside = k < P.turns && p_${s} < P.positions &&
        iy >= 0 && iy < P.x_size.z && ix >= 0 && ix < P.x_size.w;
      var v = vec4f();
      if (inside) { v = texel_x(column_${s} + ix, c * P.x_size.z + iy); }
      staged_x[thread + ${s * ACROSS * DOWN}] = v;
    }
    #end
    #for s in 0..STAGES_W
    {
      let at = thread + ${s * ACROSS * DOWN};
      let b = at / ${STEP * 4 * QUADS};
      let k = turn + (at - b * ${STEP * 4 * QUADS}) / ${4 * QUADS};
      if (b < ${DOWN}) {
        let e = at % ${4 * QUADS};
        #if TRANSPOSED
        let quad = (first_block + b) * ${QUADS};
        let column = 4 * quad + e;
        let row = k * P.matrices + place(matrix);
        #else
        #if BATCHED
        let quad = (first_block + b) * ${QUADS} + e / 4;
        let column = 4 * k + e % 4;
        let row = quad * P.matrices + matrix;
        #else
        let quad = (first_block + b) * ${QUADS};
        let ky = small_quotient(k, taps_of_row);
        let column = (k - ky * taps_of_row) * ${4 * QUADS} + e;
        let row = (first_block + b) * P.kernel_rows + ky;
        #end
        #end
        var v = vec4f();
        if (k < P.turns && quad < P.y_size.y) { v = texel_w(column, row); }
        staged_w[at] = v;
      }
    }
    #end
    workgroupBarrier();
    for (var k = 0; k < ${STEP}; k++) {
      #for j in 0..TILE
      let x_${j} = staged_x[k * ${ACROSS * TILE} + ${j * ACROSS} + across];
      #end
      #for i in 0..QUADS
      {
        #for lane in 0..4
        #if BATCHED
        let t_${lane} = staged_w[(down * ${STEP} + k) * ${4 * QUADS} + ${4 * i + lane}];
        #else
        let t_${lane} = staged_w[(down * ${STEP} + k) * ${4 * QUADS} + ${lane * QUADS + i}];
        #end
        #end
        #for lane in 0..4
        #if TRANSPOSED
        let w_${lane} = vec4f(t_0.${xyzw[lane]}, t_1.${xyzw[lane]}, t_2.${xyzw[lane]}, t_3.${xyzw[lane]});
        #else
        let w_${lane} = t_${lane};
        #end
        #end
        #for j in 0..TILE
        #for lane in 0..4
        sum_${i}_${j} = fma(w_${lane}, vec4f(x_${j}.${xyzw[lane]}), sum_${i}_${j});
        #end
        #end
      }
      #end
    }
    workgroupBarrier();
  }

  #for j in 0..TILE
  {
    let p = first + ${j * ACROSS} + across;
    if (p < P.positions) {
      #if BATCHED
      let n = 0;
      let y = matrix;
      let x = p;
      #else
      let n = p / picture;
      let oy = (p - n * picture) / P.columns;
      let y = oy * P.step_y + P.y_phase;
      let x = (p - n * picture - oy * P.columns) * P.step_x + P.x_phase;
      #end
      #for i in 0..QUADS
      {
        let m = block * ${QUADS} + ${i};
        if (m < P.y_size.y) {
          var v = sum_${i}_${j};
          #if BIAS
          v += texel_bias(0, m);
          #end
          store_y(n, m, y, x, epilogue(n, m, y, x, v));
        }
      }
      #end
    }
  }
  #end
}
