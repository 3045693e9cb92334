// Weight gradient of a convolution, in parts that sum_parts.wgsl adds:
//
//   dw[o,i,ky,kx] = Σ_{n,oy,ox} dy[n,o,oy,ox] · x[n, i, s·oy + d·ky − p, s·ox + d·kx − p]
//
// Part s is the sum over the rows s·rows .. (s+1)·rows − 1 of dy, those of all pictures counted
// through, and lies in pictures s·O .. (s+1)·O − 1 of the result. One invocation computes OUTPUTS
// output channels (LANES of each of OUTPUT_QUADS quads), a quad of inputs and all KW columns of a
// kernel row; it walks along the rows TILE pixels at a time and loads the pixels READ of x for them.
// GROUPED: one output channel, whose inputs may start within a quad.

#if GROUPED
fn inputs_at(n: i32, first: i32, iy: i32, ix: i32) -> vec4f {
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let c = first + lane;
    if (c < P.x_place.z) { v[lane] = load_x(n, c >> 2, iy, ix)[c & 3]; }
  }
  return v;
}
#end

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = quotient(i32(id.x), P.kernel_rows);
  let ky = i32(id.x) - place * P.kernel_rows;
  let part = quotient(place, P.y_size.y);
  let i4 = place - part * P.y_size.y;
  let block = i32(id.y);
  if (part >= P.parts) { return; }
  #if GROUPED
  let first_input = quotient(block, P.group_outputs) * P.group_inputs + 4 * i4;
  #end

  #for o in 0..OUTPUTS
  #for k in 0..KW
  var sum_${o}_${k} = vec4f();
  #end
  #end

  for (var row = part * P.rows; row < min((part + 1) * P.rows, P.dy_size.x * P.dy_size.z); row++) {
    let n = quotient(row, P.dy_size.z);
    let oy = row - n * P.dy_size.z;
    let iy = oy * P.stride_y + ky * P.dilation_y - P.padding_y;
    if (iy < 0 || iy >= P.x_size.z) { continue; }
    for (var ox = 0; ox < P.dy_size.w; ox += ${TILE}) {
      let left = ox * ${STRIDE} - P.padding_x;
      #for p of READ
      #if GROUPED
      let x_${p} = select(vec4f(), inputs_at(n, first_input, iy, clamp(left + ${p}, 0, P.x_size.w - 1)), left + ${p} >= 0 && left + ${p} < P.x_size.w);
      #else
      let x_${p} = select(vec4f(), load_x(n, i4, iy, clamp(left + ${p}, 0, P.x_size.w - 1)), left + ${p} >= 0 && left + ${p} < P.x_size.w);
      #end
      #end
      #for t in 0..TILE
      #for quad in 0..OUTPUT_QUADS
      {
        #if GROUPED
        let o4 = block >> 2;
        #else
        let o4 = min(block * ${OUTPUT_QUADS} + ${quad}, P.dy_size.y - 1);
        #end
        let dy = select(vec4f(), load_dy(n, o4, oy, min(ox + ${t}, P.dy_size.w - 1)), ox + ${t} < P.dy_size.w);
        #for lane in 0..LANES
        #for k in 0..KW
        #if GROUPED
        sum_${4 * quad + lane}_${k} = fma(vec4f(dy[block & 3]), x_${t * STRIDE + k * DILATION}, sum_${4 * quad + lane}_${k});
        #else
        sum_${4 * quad + lane}_${k} = fma(vec4f(dy.${xyzw[lane]}), x_${t * STRIDE + k * DILATION}, sum_${4 * quad + lane}_${k});
        #end
        #end
        #end
      }
      #end
      #end
    }
  }

  #for o in 0..OUTPUTS
  if (block * ${OUTPUTS} + ${o} < P.outputs) {
    #for k in 0..KW
    store_y(part * P.outputs + block * ${OUTPUTS} + ${o}, i4, ky, ${k}, sum_${o}_${k});
    #end
  }
  #end
}
