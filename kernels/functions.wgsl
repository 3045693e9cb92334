// Element functions that WGSL lacks, or allows a driver to compute too roughly.

// 1/(1 + e^−a) without a large exponential; below −80, where it is 2e-35, it stays there.
fn sigmoid(a: vec4f) -> vec4f {
  let e = exp(-min(abs(a), vec4f(80)));
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
