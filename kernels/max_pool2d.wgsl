// Maximum over a window, or the window position (ky·kw + kx) of the maximum. Of several equal
// maxima the first in reading order wins, as in PyTorch. Padding never wins.
// UNROLLED: a small window without dilation, KY×KX.
//
// INDICES: a lane holds the positions of PER neighbours in a texel row (the pictures lie side by side
// in it) as a whole number, BITS bits each, the first the lowest: below 2²⁴, exact in float32.

#if INDICES
fn compute(first: i32, c: i32, oy: i32, texel: i32) {
  var positions = vec4i();
  for (var i = 0; i < ${PER}; i++) {
    // Those beyond the row's end are never asked for.
    let column = min(${PER} * texel + i, P.pictures * P.columns - 1);
    let n = quotient(column, P.columns);
    positions |= vec4i(winner(n, c, oy, column - n * P.columns)) << vec4u(u32(${BITS} * i));
  }
  store_y(0, c, oy, texel, vec4f(positions));
}

fn winner(n: i32, c: i32, oy: i32, ox: i32) -> vec4f {
#else
fn compute(n: i32, c: i32, oy: i32, ox: i32) {
#end
  var best = vec4f(-3.4028234e38);
  var position = vec4f(-1);
  #if UNROLLED
  let top = oy * P.stride_y - P.padding_y;
  let left = ox * P.stride_x - P.padding_x;
  #for ky in 0..KY
  #for kx in 0..KX
  {
    let iy = top + ${ky};
    let ix = left + ${kx};
    let v = load_x(n, c, clamp(iy, 0, P.x_size.z - 1), clamp(ix, 0, P.x_size.w - 1));
    let inside = iy >= 0 && iy < P.x_size.z && ix >= 0 && ix < P.x_size.w;
    // "or no position yet", so that a window of -inf or of the lowest float still has one.
    let wins = ((v > best) | (position < vec4f())) & vec4<bool>(inside);
    best = select(best, v, wins);
    position = select(position, vec4f(${ky * KX + kx}), wins);
  }
  #end
  #end
  #else
  for (var ky = 0; ky < P.kernel_y; ky++) {
    let iy = oy * P.stride_y + ky * P.dilation_y - P.padding_y;
    if (iy < 0 || iy >= P.x_size.z) { continue; }
    for (var kx = 0; kx < P.kernel_x; kx++) {
      let ix = ox * P.stride_x + kx * P.dilation_x - P.padding_x;
      if (ix < 0 || ix >= P.x_size.w) { continue; }
      let v = load_x(n, c, iy, ix);
      let wins = (v > best) | (position < vec4f());
      best = select(best, v, wins);
      position = select(position, vec4f(f32(ky * P.kernel_x + kx)), wins);
    }
  }
  #end
  #if INDICES
  return position;
  #else
  store_y(n, c, oy, ox, best);
  #end
}
