// Barron's general robust loss of x with shape a and scale c, and its derivatives, through
//
//     z = (x/c)²,  b = |a − 2|,  L = ln(1 + z/b),  t = (a/2)·L,  W = exp((a/2 − 1)·L)
//
// rho = (b/a)·(exp(t) − 1) = (b/2)·L·phi(t), phi(t) = (exp(t) − 1)/t: nothing special at a = 0,
// where t is. exp(t) = (1 + z/b)·W keeps the digits that exp loses where b is small, so far from 0
// rho = ((b + z)·W − b)/a. What lies beyond ±1e6 is as good as infinite.

struct Robust { a: vec4f, b: vec4f, z: vec4f, L: vec4f, t: vec4f, W: vec4f }

fn robust(x: vec4f, alpha: vec4f, c: vec4f) -> Robust {
  let a = clamp(alpha, vec4f(-1e6), vec4f(1e6));
  // 1e-7 at a = 2 itself: less than from there to the next number.
  let b = max(abs(a - 2), vec4f(1e-7));
  let q = x / c;
  let z = q * q;
  let L = log1p(z / b);
  // exp(80) is large enough for anything.
  return Robust(a, b, z, L, min(0.5 * a * L, vec4f(80)), exp(min((0.5 * a - 1) * L, vec4f(80))));
}

fn robust_loss(x: vec4f, alpha: vec4f, c: vec4f) -> vec4f {
  let r = robust(x, alpha, c);
  let near = abs(r.t) < vec4f(0.5);
  let far = ((r.b + r.z) * r.W - r.b) / select(r.a, vec4f(1), near);
  return select(far, 0.5 * r.b * r.L * phi(select(vec4f(), r.t, near)), near);
}

// d rho/dx = x/c²·W
fn robust_slope(x: vec4f, alpha: vec4f, c: vec4f) -> vec4f {
  return x / c / c * robust(x, alpha, c).W;
}

// d rho/da = ±½·(L·phi(t) − W·z/b) + (b/4)·L²·phi'(t), + for a > 2. Far from t = 0 the bracket is
// (W·(2 ∓ z) − 2)/a, without the large numbers that cancel where b is small. At a = 2, where the
// derivative has no bound, it is that of the number below 2.
fn robust_shape_slope(x: vec4f, alpha: vec4f, c: vec4f) -> vec4f {
  let r = robust(x, alpha, c);
  let near = abs(r.t) < vec4f(0.5);
  let side = select(vec4f(-1), vec4f(1), r.a > vec4f(2));
  let bracket_near = r.L * phi(select(vec4f(), r.t, near)) - r.W * r.z / r.b;
  let bracket_far = (r.W * (2 - side * r.z) - 2) / select(r.a, vec4f(1), near);
  return 0.5 * side * select(bracket_far, bracket_near, near) +
    0.25 * r.L * (r.b * r.L) * phi_slope(r.t);
}
