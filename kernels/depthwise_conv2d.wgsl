// Depthwise convolution and its input gradient: every channel has its own filter.
//
//   y[n,c,oy,ox] = Σ_{ky,kx} w[c,ky,kx] · x[n, c, ty / up, tx / up],   t = s·o + d·k + start,
//
// where only taps with t divisible by `up` and inside the picture count. Forward: up = 1. Input
// gradient of stride r: s = 1, up = r, filters flipped. w: column kx, row c4·kh + ky.

fn compute(n: i32, c: i32, oy: i32, ox: i32) {
  var sum = vec4f();
  for (var ky = 0; ky < P.kernel_rows; ky++) {
    let ty = oy * P.stride_y + ky * P.dilation_y + P.y_start;
    let iy = quotient(max(ty, 0), P.up_y);
    if (ty < 0 || iy * P.up_y != ty || iy >= P.x_size.z) { continue; }
    for (var kx = 0; kx < P.kernel_columns; kx++) {
      let tx = ox * P.stride_x + kx * P.dilation_x + P.x_start;
      let ix = quotient(max(tx, 0), P.up_x);
      if (tx < 0 || ix * P.up_x != tx || ix >= P.x_size.w) { continue; }
      sum = fma(texel_w(kx, c * P.kernel_rows + ky), load_x(n, c, iy, ix), sum);
    }
  }
  #if BIAS
  sum += texel_bias(0, c);
  #end
  store_y(n, c, oy, ox, epilogue(n, c, oy, ox, sum));
}
