// Two tensors one after the other along the channels: y = [a; b].

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = i32(id.x);
  let y = i32(id.y);
  let n = quotient(i32(id.z), P.y_size.y);
  let c4 = i32(id.z) - n * P.y_size.y;
  if (x >= P.y_size.w || y >= P.y_size.z) { return; }
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
