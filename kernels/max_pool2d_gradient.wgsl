// Gradient of the maximum: dx[p] = Σ of dy over the windows whose winner (their window position,
// from max_pool2d.wgsl) is pixel p. A gather over the windows that contain p.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  let ty = y + P.padding_y;
  let tx = x + P.padding_x;
  let y_first = quotient(max(0, ty - P.kernel_y + P.stride_y), P.stride_y);
  let x_first = quotient(max(0, tx - P.kernel_x + P.stride_x), P.stride_x);
  let y_last = min(quotient(ty, P.stride_y), P.dy_size.z - 1);
  let x_last = min(quotient(tx, P.stride_x), P.dy_size.w - 1);
  for (var oy = y_first; oy <= y_last; oy++) {
    for (var ox = x_first; ox <= x_last; ox++) {
      let mine = (ty - oy * P.stride_y) * P.kernel_x + tx - ox * P.stride_x;
      let winner = load_indices(n, c, oy, ox);
      sum += select(vec4f(), load_dy(n, c, oy, ox), winner == vec4f(f32(mine)));
    }
  }
  store_dx(n, c, y, x, sum);
}
