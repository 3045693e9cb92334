// Channels of `groups` groups one by one in turn: y[j·G + i] = x[i·C/G + j].

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let to = 4 * quad + lane;
    let j = quotient(to, P.groups);
    let c = (to - j * P.groups) * P.per_group + j;
    if (to < P.y_place.z) { v[lane] = load_x(n, c >> 2, y, x)[c & 3]; }
  }
  store_y(n, quad, y, x, v);
}
