// One axis of a separable blur: y[p] = Σ_{|k| ≤ R} w[|k|] · x[mirror(p + k)] with Σ w = 1, the
// border mirrored without repeating the edge pixel (OpenCV's BORDER_REFLECT_101, PyTorch's
// "reflect"). Computed as differences from x[p], where float32 is finer.
// w holds the weights at distance 0, 1, ..., R as channels; a zero weight ends it early.

fn mirror(p: i32, size: i32) -> i32 {
  if (size == 1) { return 0; }
  let period = 2 * (size - 1);
  let q = ((p % period) + period) % period;
  return min(q, period - q);
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let here = load_x(n, c, y, x);
  var sum = here;
  for (var k = 1; k < P.w_place.z; k++) {
    let weight = texel_w(0, k >> 2)[k & 3];
    if (weight == 0) { break; }
    #if AXIS === 3
    sum += weight * (load_x(n, c, y, mirror(x - k, P.x_size.w)) - here + load_x(n, c, y, mirror(x + k, P.x_size.w)) - here);
    #else
    sum += weight * (load_x(n, c, mirror(y - k, P.x_size.z), x) - here + load_x(n, c, mirror(y + k, P.x_size.z), x) - here);
    #end
  }
  store_y(n, c, y, x, sum);
}
