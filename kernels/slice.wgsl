// Strided slice: y[n,c,h,w] = x[n, c·sc + c0, h·sy + y0, w·sx + x0].

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = i32(id.x);
  let y = i32(id.y);
  let n = quotient(i32(id.z), P.y_size.y);
  let c4 = i32(id.z) - n * P.y_size.y;
  if (x >= P.y_size.w || y >= P.y_size.z) { return; }
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let c = (c4 * 4 + lane) * P.step_c + P.start_c;
    if (c < P.x_place.z) {
      v[lane] = load_x(n, c >> 2, y * P.step_y + P.start_y, x * P.step_x + P.start_x)[c & 3];
    }
  }
  store_y(n, c4, y, x, v);
}
