// Circular shift: y[n,c,(y + dy) mod H,(x + dx) mod W] = x[n,c,y,x]. shift: [1,2,1,1] = dx, dy.
// SIGN −1 shifts back.

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = i32(id.x);
  let y = i32(id.y);
  let n = quotient(i32(id.z), P.y_size.y);
  let c = i32(id.z) - n * P.y_size.y;
  if (x >= P.y_size.w || y >= P.y_size.z) { return; }
  let shift = vec2i(texel_shift(0, 0).xy) * ${SIGN};
  let from_x = (((x - shift.x) % P.x_size.w) + P.x_size.w) % P.x_size.w;
  let from_y = (((y - shift.y) % P.x_size.z) + P.x_size.z) % P.x_size.z;
  store_y(n, c, y, x, load_x(n, c, from_y, from_x));
}
