// One axis of a separable blur: y[p] = Σ_{|k| ≤ R} w[|k|] · x[mirror(p + k)] with Σ w = 1, the
// border mirrored without repeating the edge pixel (OpenCV's BORDER_REFLECT_101, PyTorch's
// "reflect"). Computed as differences from x[p], where float32 is finer.
// w holds the weights at distance 0, 1, ..., R as channels; a zero weight ends it early.

#if AXIS === 3
fn size() -> i32 { return P.x_size.w; }
fn pixel(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f { return load_x(n, c, y, p); }
#else
fn size() -> i32 { return P.x_size.z; }
fn pixel(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f { return load_x(n, c, p, x); }
#end

// a modulo the length after which a mirrored row repeats itself, from 0 on.
fn wrapped(a: i32) -> i32 {
  let period = 2 * (size() - 1);
  return ((a % period) + period) % period;
}

#if TRANSPOSE
// The adjoint. Output p reads pixel q at distance k where p ± k is q or a mirror image of it, that
// is q or -q up to whole periods; q at an end is its own image. Other candidates are no pixels.
fn reader(n: i32, c: i32, y: i32, x: i32, candidate: i32) -> vec4f {
  let p = wrapped(candidate);
  if (p >= size()) { return vec4f(); }
  return pixel(n, c, y, x, p);
}
fn differences(n: i32, c: i32, y: i32, x: i32, q: i32, k: i32, here: vec4f) -> vec4f {
  let direct = (reader(n, c, y, x, q - k) - here) + (reader(n, c, y, x, q + k) - here);
  if (q == 0 || q == size() - 1) { return direct; }
  return direct + reader(n, c, y, x, -q - k) + reader(n, c, y, x, -q + k);
}
#else
fn mirrored(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f {
  let q = wrapped(p);
  return pixel(n, c, y, x, min(q, 2 * (size() - 1) - q));
}
fn differences(n: i32, c: i32, y: i32, x: i32, p: i32, k: i32, here: vec4f) -> vec4f {
  return (mirrored(n, c, y, x, p - k) - here) + (mirrored(n, c, y, x, p + k) - here);
}
#end

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let here = load_x(n, c, y, x);
  var sum = here;
  for (var k = 1; size() > 1 && k < P.w_place.z; k++) {
    let weight = texel_w(0, k >> 2)[k & 3];
    if (weight == 0) { break; }
    sum += weight * differences(n, c, y, x, ${AXIS === 3 ? "x" : "y"}, k, here);
  }
  store_y(n, c, y, x, sum);
}
