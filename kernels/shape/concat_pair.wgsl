// Two tensors one after the other along the channels: y = [a; b].

fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let first = P.a_place.z;
  if (c4 * 4 + 3 < first) {
    store_y(n, c4, y, x, load_a(n, c4, y, x));
    return;
  }
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let c = c4 * 4 + lane;
    if (c < first) {
      v[lane] = load_a(n, c >> 2, y, x)[c & 3];
    } else if (c - first < P.b_place.z) {
      v[lane] = load_b(n, (c - first) >> 2, y, x)[(c - first) & 3];
    }
  }
  store_y(n, c4, y, x, v);
}
