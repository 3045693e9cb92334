// Mean over a window: y = Σ x / count. count is the window's size with padding (but not what
// ceil mode adds beyond it), or only the pixels of the picture where INCLUDE_PAD is false.

fn count(oy: i32, ox: i32) -> f32 {
  let y0 = oy * P.stride_y - P.padding_y;
  let x0 = ox * P.stride_x - P.padding_x;
  #if INCLUDE_PAD
  let rows = min(y0 + P.kernel_y, P.height + P.padding_y) - y0;
  let columns = min(x0 + P.kernel_x, P.width + P.padding_x) - x0;
  #else
  let rows = min(y0 + P.kernel_y, P.height) - max(y0, 0);
  let columns = min(x0 + P.kernel_x, P.width) - max(x0, 0);
  #end
  return f32(rows * columns);
}

#if GRADIENT
// dx[p] = Σ dy / count over the windows that contain p.
fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  let rows = windows_at(y + P.padding_y, P.span_y, P.stride_y, P.x_size.z);
  let columns = windows_at(x + P.padding_x, P.span_x, P.stride_x, P.x_size.w);
  for (var oy = rows.x; oy <= rows.y; oy++) {
    for (var ox = columns.x; ox <= columns.y; ox++) {
      sum += load_x(n, c, oy, ox) / count(oy, ox);
    }
  }
  store_y(n, c, y, x, sum);
}
#else
fn compute(n: i32, c: i32, oy: i32, ox: i32) {
  var sum = vec4f();
  for (var ky = 0; ky < P.kernel_y; ky++) {
    let iy = oy * P.stride_y + ky - P.padding_y;
    if (iy < 0 || iy >= P.height) { continue; }
    var row = vec4f(); // a sum of its own, so that float32's rounding does not add up
    for (var kx = 0; kx < P.kernel_x; kx++) {
      let ix = ox * P.stride_x + kx - P.padding_x;
      if (ix < 0 || ix >= P.width) { continue; }
      row += load_x(n, c, iy, ix);
    }
    sum += row;
  }
  store_y(n, c, oy, ox, sum / count(oy, ox));
}
#end
