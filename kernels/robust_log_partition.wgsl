// ln Z(alpha) or its derivative, from a table of cubics in u = (2 − alpha)^(1/4), cell by cell.
// Outside [0, 2] it goes on as a constant.

fn cubic(alpha: f32) -> f32 {
  // Closer to 2 the derivative grows without bound; this is as close as a number can be.
  let b = clamp(2 - alpha, ${DERIVATIVE ? "1e-7" : "0.0"}, 2.0);
  let u = sqrt(sqrt(b));
  let cell = min(i32(u * P.cells_per_unit), P.cells - 1);
  let t = u * P.cells_per_unit - f32(cell);
  let k = texel_table(cell, 0);
  #if DERIVATIVE
  let inside = alpha >= 0 && alpha <= 2;
  let slope = ((3 * k.w * t + 2 * k.z) * t + k.y) * P.cells_per_unit;
  return select(0.0, -slope / (4 * u * u * u), inside);
  #else
  return ((k.w * t + k.z) * t + k.y) * t + k.x;
  #end
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let a = load_alpha(n, c, y, x);
  store_y(n, c, y, x, vec4f(cubic(a.x), cubic(a.y), cubic(a.z), cubic(a.w)));
}
