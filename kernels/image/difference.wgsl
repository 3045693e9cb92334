// The difference to the next row or column, 0 in the last: y[i] = x[i+1] − x[i].
// HERE is the place along the axis, of SIZE; PREVIOUS and NEXT are row and column of its neighbours.
// TRANSPOSE: the adjoint, y[i] = x[i−1] − x[i] without the x that do not exist or count for nothing.

fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let i = ${HERE};
  let last = ${SIZE} - 1;
  var v = vec4f();
  #if TRANSPOSE
  if (i > 0) { v = load_x(n, c4, ${PREVIOUS}); }
  if (i < last) { v -= load_x(n, c4, y, x); }
  #else
  if (i < last) { v = load_x(n, c4, ${NEXT}) - load_x(n, c4, y, x); }
  #end
  store_y(n, c4, y, x, v);
}
