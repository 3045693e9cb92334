// The difference to the next row (AXIS 2) or column (AXIS 3), 0 in the last: y[i] = x[i+1] − x[i].
// TRANSPOSE: the adjoint, y[i] = x[i−1] − x[i] without the x that do not exist or count for nothing.

fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let i = ${AXIS === 2 ? "y" : "x"};
  let last = ${AXIS === 2 ? "P.x_size.z" : "P.x_size.w"} - 1;
  var v = vec4f();
  #if TRANSPOSE
  if (i > 0) { v = load_x(n, c4, ${AXIS === 2 ? "y - 1, x" : "y, x - 1"}); }
  if (i < last) { v -= load_x(n, c4, y, x); }
  #else
  if (i < last) { v = load_x(n, c4, ${AXIS === 2 ? "y + 1, x" : "y, x + 1"}) - load_x(n, c4, y, x); }
  #end
  store_y(n, c4, y, x, v);
}
