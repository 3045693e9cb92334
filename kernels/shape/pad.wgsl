// Zero padding around and between: y[n, c·sc + c0, h·sy + y0, w·sx + x0] = x[n,c,h,w], zero
// elsewhere. The adjoint of slice.wgsl. (XLA's Pad with interior padding.)

fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let ty = y - P.start_y;
  let tx = x - P.start_x;
  var v = vec4f();
  if (ty >= 0 && ty % P.step_y == 0 && ty / P.step_y < P.x_size.z &&
      tx >= 0 && tx % P.step_x == 0 && tx / P.step_x < P.x_size.w) {
    for (var lane = 0; lane < 4; lane++) {
      let tc = c4 * 4 + lane - P.start_c;
      if (tc >= 0 && tc % P.step_c == 0 && tc / P.step_c < P.x_place.z) {
        let c = tc / P.step_c;
        v[lane] = load_x(n, c >> 2, ty / P.step_y, tx / P.step_x)[c & 3];
      }
    }
  }
  store_y(n, c4, y, x, v);
}
