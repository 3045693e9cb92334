// Maximum over a window, or the window position (ky·kw + kx) of the maximum. Of several equal
// maxima the first in reading order wins, as in PyTorch. Padding never wins.

fn compute(n: i32, c: i32, oy: i32, ox: i32) {
  var best = vec4f(-3.4028234e38);
  var position = vec4f(-1);
  for (var ky = 0; ky < P.kernel_y; ky++) {
    let iy = oy * P.stride_y + ky * P.dilation_y - P.padding_y;
    if (iy < 0 || iy >= P.x_size.z) { continue; }
    for (var kx = 0; kx < P.kernel_x; kx++) {
      let ix = ox * P.stride_x + kx * P.dilation_x - P.padding_x;
      if (ix < 0 || ix >= P.x_size.w) { continue; }
      let v = load_x(n, c, iy, ix);
      // "or no position yet", so that a window of -inf or of the lowest float still has one.
      let wins = (v > best) | (position < vec4f());
      best = select(best, v, wins);
      position = select(position, vec4f(f32(ky * P.kernel_x + kx)), wins);
    }
  }
  #if INDICES
  store_y(n, c, oy, ox, position);
  #else
  store_y(n, c, oy, ox, best);
  #end
}
