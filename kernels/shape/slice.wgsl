// Strided slice: y[n,c,h,w] = x[n, c·sc + c0, h·sy + y0, w·sx + x0].

fn compute(n: i32, c4: i32, y: i32, x: i32) {
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let c = (c4 * 4 + lane) * P.step_c + P.start_c;
    if (c < P.x_place.z) {
      v[lane] = load_x(n, c >> 2, y * P.step_y + P.start_y, x * P.step_x + P.start_x)[c & 3];
    }
  }
  store_y(n, c4, y, x, v);
}
