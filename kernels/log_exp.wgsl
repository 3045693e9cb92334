// Functions of vec4f that stay exact to the last bits near 0, where exp(t) - 1 and log(1 + u)
// cancel.

// log(1 + u) for u >= 0: near 0 as 2·artanh(u/(2 + u)), by its series.
fn log1p(u: vec4f) -> vec4f {
  let near = min(u, vec4f(0.5));
  let s = near / (near + 2);
  let q = s * s;
  let series = ((((q / 11 + 1.0 / 9) * q + 1.0 / 7) * q + 1.0 / 5) * q + 1.0 / 3) * q + 1;
  return select(2 * s * series, log(u + 1), u > vec4f(0.5));
}

// phi(t) = (exp(t) - 1)/t, which is 1 at 0.
fn phi(t: vec4f) -> vec4f {
  let near = abs(t) < vec4f(0.5);
  let s = select(vec4f(), t, near);
  // 1 + t/2·(1 + t/3·(1 + ... (1 + t/9)))
  var series = 1 + s / 9;
  for (var k = 8.0; k > 1; k -= 1) { series = 1 + s / k * series; }
  let far = select(t, vec4f(1), near);
  return select((exp(far) - 1) / far, series, near);
}

// phi'(t) = (exp(t) - phi(t))/t, which is 1/2 at 0.
fn phi_slope(t: vec4f) -> vec4f {
  let near = abs(t) < vec4f(0.5);
  let s = select(vec4f(), t, near);
  // 1/2 + t·(2/3! + t·(3/4! + ... t·9/10!))
  var series = vec4f(9.0 / 3628800);
  series = series * s + 8.0 / 362880;
  series = series * s + 7.0 / 40320;
  series = series * s + 6.0 / 5040;
  series = series * s + 5.0 / 720;
  series = series * s + 4.0 / 120;
  series = series * s + 3.0 / 24;
  series = series * s + 2.0 / 6;
  series = series * s + 0.5;
  let far = select(t, vec4f(1), near);
  return select((exp(far) - phi(far)) / far, series, near);
}

// exp(t) - 1.
fn expm1(t: vec4f) -> vec4f { return t * phi(t); }
