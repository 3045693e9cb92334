// Element functions that WGSL lacks, or allows a driver to compute too roughly.

// 1/(1 + e^−a) without a large exponential.
fn sigmoid(a: vec4f) -> vec4f {
  let e = exp(-abs(a));
  return select(e, vec4f(1), a >= vec4f()) / (1 + e);
}

// (1 − e^−2|a|)/(1 + e^−2|a|) with a's sign. Near 0, where that cancels, the convergent of Lambert's
// continued fraction a/(1 + a²/(3 + a²/(5 + a²/(7 + a²/9)))), off by 5e-11.
fn tanh_accurate(a: vec4f) -> vec4f {
  let e = exp(-2 * min(abs(a), vec4f(20)));
  let small = clamp(a, vec4f(-0.5), vec4f(0.5));
  let s = small * small;
  let near = small * (945 + s * (105 + s)) / (945 + s * (420 + s * 15));
  return select(sign(a) * (1 - e) / (1 + e), near, a == small);
}

// Φ(a) = (1 + erf(a/√2))/2, the normal distribution up to a. In the middle the Maclaurin series
// (Abramowitz & Stegun 26.2.10), whose next term is 2e-9. Beyond ±1 the tail, e^(−a²/2) times a
// polynomial in t = 1/(1 + 0.4·|a|) as in A&S 26.2.17; ours is a minimax fit of the relative error,
// 9e-8, over 1..13.
fn normal_cdf(a: vec4f) -> vec4f {
  let x = clamp(a, vec4f(-1), vec4f(1));
  let s = x * x;
  let odd = 1 + s * (-1.0 / 6 + s * (1.0 / 40 + s * (-1.0 / 336 + s * (1.0 / 3456 +
    s * (-1.0 / 42240 + s * (1.0 / 599040 - s / 9676800))))));
  let t = 1 / (1 + 0.4 * abs(a));
  let tail = exp(-0.5 * far(a)) * t * (0.15959546 + t * (0.159105867 + t * (0.138959885 +
    t * (0.055695314 + t * (0.105060846 + t * (-0.186126754 + t * 0.0680012032))))));
  return select(select(tail, 1 - tail, a > vec4f()), 0.5 + 0.398942280 * x * odd, a == x);
}

// a², no larger than needed for e^(−a²/2) to vanish.
fn far(a: vec4f) -> vec4f {
  let u = min(abs(a), vec4f(20));
  return u * u;
}

// d(a·Φ(a))/da = Φ(a) + a·φ(a)
fn gelu_slope(a: vec4f) -> vec4f {
  return normal_cdf(a) + a * 0.398942280 * exp(-0.5 * far(a));
}

// (1 + tanh(√(2/π)·(a + 0.044715·a³)))/2, as the sigmoid of twice that: exact in the left tail too.
fn gelu_gate(a: vec4f) -> vec4f {
  let u = clamp(a, vec4f(-20), vec4f(20));
  return sigmoid(1.59576912 * u * (1 + 0.044715 * u * u));
}

// d(a·gate(a))/da
fn gelu_tanh_slope(a: vec4f) -> vec4f {
  let u = clamp(a, vec4f(-20), vec4f(20));
  let gate = gelu_gate(a);
  return gate + u * gate * gelu_gate(-a) * 1.59576912 * (1 + 0.134145 * u * u);
}
