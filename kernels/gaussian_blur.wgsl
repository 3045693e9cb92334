// One axis of a separable blur: y[p] = Σ_{|k| ≤ R} w[|k|] · x[mirror(p + k)] with Σ w = 1, the
// border mirrored without repeating the edge pixel (OpenCV's BORDER_REFLECT_101, PyTorch's
// "reflect"). Computed as differences from x[p], where float32 is finer.
// w holds the weights at distance 0, 1, ..., R as channels; four zero weights end it early.
// FAR: R, filled up to four weights, may reach beyond a mirrored picture.

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
  #if FAR
  // A row of one pixel repeats itself after none.
  return modulo(a, max(period, 1));
  #else
  return select(select(a, a - period, a >= period), a + period, a < 0);
  #end
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
fn compute(n: i32, c: i32, y: i32, x: i32) {
  let here = load_x(n, c, y, x);
  var sum = here;
  for (var quad = 0; size() > 1 && 4 * quad < P.w_place.z; quad++) {
    let weights = texel_w(0, quad);
    if (quad > 0 && all(weights == vec4f())) { break; }
    #for lane in 0..4
    sum += weights.${"xyzw"[lane]} * differences(n, c, y, x, ${AXIS === 3 ? "x" : "y"}, 4 * quad + ${lane}, here);
    #end
  }
  store_y(n, c, y, x, sum);
}
#else
fn mirrored(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f {
  let q = wrapped(p);
  return pixel(n, c, y, x, min(q, 2 * (size() - 1) - q));
}

// TILE pixels along the axis, which share what they read.
@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = quotient(i32(id.z), P.x_size.y);
  let c = i32(id.z) - n * P.x_size.y;
  let x = i32(id.x)${AXIS === 3 ? " * " + TILE : ""};
  let y = i32(id.y)${AXIS === 2 ? " * " + TILE : ""};
  let first = ${AXIS === 3 ? "x" : "y"};
  if (x >= P.x_size.w || y >= P.x_size.z) { return; }
  #for j in 0..TILE
  let here_${j} = pixel(n, c, y, x, min(first + ${j}, size() - 1));
  var sum_${j} = here_${j};
  #end
  for (var k = 0; size() > 1 && k < P.w_place.z; k += 4) {
    let w = texel_w(0, k >> 2);
    if (k > 0 && all(w == vec4f())) { break; }
    #for o in 0..TILE + 3
    let before_${o} = mirrored(n, c, y, x, first - k + ${o - 3});
    let after_${o} = mirrored(n, c, y, x, first + k + ${o});
    #end
    #for j in 0..TILE
    #for lane in 0..4
    sum_${j} += w.${"xyzw"[lane]} * ((before_${j - lane + 3} - here_${j}) + (after_${j + lane} - here_${j}));
    #end
    #end
  }
  #for j in 0..TILE
  if (first + ${j} < size()) {
    store_y(n, c, y${AXIS === 2 ? " + " + j : ""}, x${AXIS === 3 ? " + " + j : ""}, sum_${j});
  }
  #end
}
#end
