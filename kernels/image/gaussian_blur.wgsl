// One axis of a separable blur: y[p] = Σ_{|k| ≤ R} w[|k|] · x[mirror(p + k)] with Σ w = 1, the
// border mirrored without repeating the edge pixel (OpenCV's BORDER_REFLECT_101, PyTorch's
// "reflect"). Computed as differences from a pixel nearby, where float32 is finer.
// w holds the weights at distance 0, 1, ..., R as channels; four zero weights end it early.
// FAR: R, filled up to four weights, may reach beyond a mirrored picture.

// A place in a row of pixels, mirrored again and again, repeats itself after a period.
fn wrapped(p: i32, period: i32) -> i32 {
  #if FAR
  // A row of one pixel repeats itself after none.
  return modulo(p, max(period, 1));
  #else
  return select(select(p, p - period, p >= period), p + period, p < 0);
  #end
}

#if TRANSPOSE
// The adjoint. Output p reads pixel q at distance k where p ± k is q or a mirror image of it, that
// is q or -q up to whole periods; q at an end is its own image. Other candidates are no pixels.
#if AXIS === 3
fn size() -> i32 { return P.x_size.w; }
fn pixel(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f { return load_x(n, c, y, p); }
fn along(y: i32, x: i32) -> i32 { return x; }
#else
fn size() -> i32 { return P.x_size.z; }
fn pixel(n: i32, c: i32, y: i32, x: i32, p: i32) -> vec4f { return load_x(n, c, p, x); }
fn along(y: i32, x: i32) -> i32 { return y; }
#end
fn reader(n: i32, c: i32, y: i32, x: i32, candidate: i32) -> vec4f {
  let p = wrapped(candidate, 2 * (size() - 1));
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
    sum += weights[${lane}] * differences(n, c, y, x, along(y, x), 4 * quad + ${lane}, here);
    #end
  }
  store_y(n, c, y, x, sum);
}
#else
// The pixel of a row of so many that lies at place p of the mirrored row.
fn mirrored(p: i32, size: i32) -> i32 {
  let period = 2 * (size - 1);
  let q = wrapped(p, period);
  return min(q, period - q);
}

#if AXIS === 3
fn pixel(column: i32, row: i32, p: i32, size: i32) -> vec4f { return sheet_x(column + mirrored(p, size), row); }
#else
fn pixel(column: i32, row: i32, p: i32, size: i32) -> vec4f { return sheet_x(column, row + mirrored(p, size)); }
#end

// TILE pixels along the axis, which share what they read. The first UNROLLED weights, a multiple of
// four, have no loop; in it each four weights take four more pixels before and after the tile.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = small_quotient(i32(id.z), P.x_size.y);
  let c = i32(id.z) - n * P.x_size.y;
  #if AXIS === 3
  let x = i32(id.x) * ${TILE};
  let y = i32(id.y);
  let first = x;
  let size = P.x_size.w;
  let column = n * P.x_size.w;
  let row = P.x_place.x + c * P.x_size.z + y;
  #else
  let x = i32(id.x);
  let y = i32(id.y) * ${TILE};
  let first = y;
  let size = P.x_size.z;
  let column = n * P.x_size.w + x;
  let row = P.x_place.x + c * P.x_size.z;
  #end
  if (x >= P.x_size.w || y >= P.x_size.z) { return; }
  let nearby = pixel(column, row, first, size);
  #for j in 0..TILE + 2 * UNROLLED - 2
  let at_${j} = pixel(column, row, first + ${j + 1 - UNROLLED}, size) - nearby;
  #end
  #for quad in 0..UNROLLED / 4
  let w_${quad} = texel_w(0, ${quad});
  #end
  #for j in 0..TILE
  var sum_${j} = w_0.x * at_${j + UNROLLED - 1};
  #for k in 1..UNROLLED
  sum_${j} += w_${k >> 2}[${k & 3}] * (at_${j + UNROLLED - 1 - k} + at_${j + UNROLLED - 1 + k});
  #end
  #end
  #if LOOP
  #for j in 0..TILE + 3
  var before_${j} = at_${j};
  var after_${j} = at_${j + 2 * UNROLLED - 5};
  #end
  let weights = P.w_place.z;
  for (var k = ${UNROLLED}; k < weights; k += 4) {
    let w = texel_w(0, k >> 2);
    if (all(w == vec4f())) { break; }
    #for o in 0..TILE - 1
    before_${TILE + 2 - o} = before_${TILE - 2 - o};
    after_${o} = after_${o + 4};
    #end
    #for o in 0..4
    before_${o} = pixel(column, row, first - k + ${o - 3}, size) - nearby;
    after_${TILE - 1 + o} = pixel(column, row, first + k + ${TILE - 1 + o}, size) - nearby;
    #end
    #for j in 0..TILE
    #for lane in 0..4
    sum_${j} += w[${lane}] * (before_${j - lane + 3} + after_${j + lane});
    #end
    #end
  }
  #end
  #for j in 0..TILE
  if (first + ${j} < size) {
    #if AXIS === 3
    store_y(n, c, y, x + ${j}, sum_${j} + nearby);
    #else
    store_y(n, c, y + ${j}, x, sum_${j} + nearby);
    #end
  }
  #end
}
#end
