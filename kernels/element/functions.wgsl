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

// log(1 + u) for u ≥ 0. Near 0, where the sum loses u's digits, 2·artanh(u/(2 + u)) by its series.
fn log1p(u: vec4f) -> vec4f {
  let near = min(u, vec4f(0.5));
  let s = near / (near + 2);
  let q = s * s;
  let series = ((((q / 11 + 1.0 / 9) * q + 1.0 / 7) * q + 1.0 / 5) * q + 1.0 / 3) * q + 1;
  return select(2 * s * series, log(u + 1), u > vec4f(0.5));
}

// φ(t) = (eᵗ − 1)/t, which is 1 at 0.
fn phi(t: vec4f) -> vec4f {
  let near = abs(t) < vec4f(0.5);
  let s = select(vec4f(), t, near);
  // 1 + t/2·(1 + t/3·(1 + ... (1 + t/9)))
  var series = 1 + s / 9;
  for (var k = 8.0; k > 1; k -= 1) { series = 1 + s / k * series; }
  let far = select(t, vec4f(1), near);
  return select((exp(far) - 1) / far, series, near);
}

// φ'(t) = (eᵗ − φ(t))/t, which is ½ at 0.
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

// 2·ln cosh(a/2) = ln(1 + m²/(4e)) with e = e^−|a| and m = 1 − e; far from 0 |a| + 2·ln((1 + e)/2).
fn log_cosh_half(a: vec4f) -> vec4f {
  let near = min(abs(a), vec4f(1));
  let m = near * phi(-near);
  let far = abs(a) + 2 * log(0.5 + 0.5 * exp(-min(abs(a), vec4f(80))));
  return select(log1p(m * m / (4 * exp(-near))), far, abs(a) > vec4f(1));
}

// ln(1 + eᵃ) = max(a, 0) + ln(1 + e^−|a|).
fn softplus(a: vec4f) -> vec4f {
  return max(a, vec4f()) + log1p(exp(-min(abs(a), vec4f(80))));
}

// aᵇ = 2^(b·log₂a) for a > 0; 0 for a ≤ 0, where the logarithm ends, but a⁰ = 1.
fn power(a: vec4f, b: vec4f) -> vec4f {
  let p = select(vec4f(), exp2(b * log2(max(a, vec4f(1e-37)))), a > vec4f());
  return select(p, vec4f(1), b == vec4f());
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

// erf(a) = 2·Φ(√2·a) − 1; near 0, where that cancels, its series.
fn error_function(a: vec4f) -> vec4f {
  let x = clamp(a, vec4f(-0.5), vec4f(0.5));
  let s = x * x;
  let near = 1.12837917 * x * (1 + s * (-1.0 / 3 + s * (1.0 / 10 + s * (-1.0 / 42 +
    s * (1.0 / 216 + s * (-1.0 / 1320 + s / 9360))))));
  return select(sign(a) * (1 - 2 * normal_cdf(-1.41421356 * abs(a))), near, a == x);
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
