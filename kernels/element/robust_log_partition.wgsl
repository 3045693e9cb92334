// ln Z(alpha) or its derivative, from a table of cubics: P.low cells over u = √alpha from 0 to 1, then
// P.high cells over u = (2 − alpha)^(1/4) from 0 to 1. Outside [0, 2] it goes on as a constant.

fn cubic(alpha: f32) -> f32 {
  let a = clamp(alpha, 0.0, 2.0);
  let is_low = a <= 1;
  let cells = select(P.high, P.low, is_low);
  let at = select(sqrt(sqrt(2 - a)), sqrt(a), is_low) * f32(cells);
  #if DERIVATIVE
  // At 0 du/dalpha, and at 2 the derivative itself, grow without bound: as close as is exact.
  let place = max(at, select(0.01, 0.001, is_low) * f32(cells));
  #else
  let place = at;
  #end
  let cell = min(i32(place), cells - 1);
  let t = place - f32(cell);
  let k = texel_table(select(P.low, 0, is_low) + cell, 0);
  #if DERIVATIVE
  let slope = ((3 * k.w * t + 2 * k.z) * t + k.y) * f32(cells);
  let u = place / f32(cells);
  let du = select(-0.25 / (u * u * u), 0.5 / u, is_low);
  return select(0.0, slope * du, alpha == a);
  #else
  return ((k.w * t + k.z) * t + k.y) * t + k.x;
  #end
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let a = load_alpha(n, c, y, x);
  store_y(n, c, y, x, vec4f(cubic(a.x), cubic(a.y), cubic(a.z), cubic(a.w)));
}
