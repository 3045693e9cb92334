// Circular shift: y[n,c,(y + dy) mod H,(x + dx) mod W] = x[n,c,y,x]. shift: [1,2,1,1] = dx, dy.
// SIGN −1 shifts back.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let shift = vec2i(texel_shift(0, 0).xy) * ${SIGN};
  let from_x = modulo(x - shift.x, P.x_size.w);
  let from_y = modulo(y - shift.y, P.x_size.z);
  store_y(n, c, y, x, load_x(n, c, from_y, from_x));
}
