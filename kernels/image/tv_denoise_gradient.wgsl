// The gradient of tv_denoise.wgsl for its picture or its weight (OF), sweep by sweep backwards.
//
// The shrink splits t into d + b: b = B(t) = t/(1 + λ|t|) and d − b = t − 2·B(t). So with λ = 2·weight
// a sweep is (primes: after it; α = λ/(weight + 4λ) = 2/9, β = weight/(weight + 4λ) = 1/9)
//
//   t'  = (u_E − u, u_S − u) + B(t)
//   u'  = α·(u_E + u'_W + u_S + u'_N + (d − b)'x_W − (d − b)x + (d − b)'y_N − (d − b)y) + β·f
//
// and backwards, u and t being dL/du and dL/dt, and B' the symmetric Jacobian of B, which is 1 where
// t is 0:
//
//   a   = u' + α·(a_E + a_S)                            PHASE "sweep": in reverse reading order
//   s   = t' + (1 − 2·B'(t'))·α·(a_E, a_S)
//   u   = α·(a_W + a_N) + sx_W + sy_N − sx − sy         PHASE "step": each pixel by itself
//   t   = B'(t)·(s + 2α·(a, a)) − α·(a, a)
//
// f gets β·a, what reaches the border of u, and u before the first sweep. λ gets dB/dλ times what
// B' is multiplied with. When the sweeps stopped has no gradient.
//
// Where one workgroup walks a picture, a dispatch makes the turns P.begin .. P.end − 1 of P.turns.
//
// state: as in tv_denoise.wgsl. checkpoints: before some sweeps v, tx, ty of each pixel.
// tape: tx, ty of each pixel before and after each sweep between two checkpoints.
// adjoint: planes u, a, tx, ty, sx, sy and the result so far, with a border of one like the state's.

const alpha = 2.0 / 9.0;
const beta = 1.0 / 9.0;

fn plane() -> i32 { return (P.dx_size.z + 2) * (P.dx_size.w + 2); }
fn stride() -> i32 { return P.dx_size.w + 2; }

/** The first plane of a picture's state, v. */
fn state_of(n: i32) -> i32 { return n * (3 * plane() + 4); }

/** How many sweeps the state is after: known from the last dispatch, whether even or odd. */
fn sweeps_done(n: i32) -> f32 {
  let known = state_of(n) + 3 * plane();
  return max(state[known].y, state[known + 1].y);
}

fn pixel(n: i32, slots: i32, slot: i32, y: i32, x: i32) -> i32 {
  return ((n * slots + slot) * P.dx_size.z + y) * P.dx_size.w + x;
}

#if PHASE === "sweep" || PHASE === "step"
struct Pair { x: vec4f, y: vec4f }

/** B at a t: its length, its direction (0 where it has none), and 1/(1 + λ|t|). */
struct Shrink { length: vec4f, x: vec4f, y: vec4f, rest: vec4f }

fn shrink_at(n: i32, slot: i32, y: i32, x: i32) -> Shrink {
  let i = 2 * pixel(n, P.slots, slot, y, x);
  let length = sqrt(tape[i] * tape[i] + tape[i + 1] * tape[i + 1]);
  let divisor = max(length, vec4f(1e-30));
  let rest = 1 / (1 + 2 * texel_settings(0, 0).x * length);
  return Shrink(length, tape[i] / divisor, tape[i + 1] / divisor, rest);
}

/** B'·q */
fn jacobian_times(b: Shrink, q: Pair) -> Pair {
  // λ|t|·rest is 1 − rest.
  let along = (1 - b.rest) * b.rest * (b.x * q.x + b.y * q.y);
  return Pair(b.rest * q.x - along * b.x, b.rest * q.y - along * b.y);
}

/** dB/dλ·q */
fn lambda_times(b: Shrink, q: Pair) -> vec4f {
  let shorter = b.length * b.rest;
  return -shorter * shorter * (b.x * q.x + b.y * q.y);
}
#end

#if PHASE === "start"
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = i32(group.x);
  let end = min(P.end * ${WORKGROUP}, plane());
  for (var i = P.begin * ${WORKGROUP} + i32(local); i < end; i += ${WORKGROUP}) {
    let row = quotient(i, stride());
    let y = row - 1;
    let x = i - row * stride() - 1;
    let inside = y >= 0 && y < P.dx_size.z && x >= 0 && x < P.dx_size.w;
    var u = vec4f();
    if (inside) { u = load_dy(n, 0, y, x); }
    adjoint[7 * n * plane() + i] = u;
    #for k in 1..7
    adjoint[(7 * n + ${k}) * plane() + i] = vec4f();
    #end
  }
}
#end

#if PHASE === "keep"
fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let from_i = state_of(n) + (y + 1) * stride() + x + 1;
  let to_i = 3 * pixel(n, P.slots, P.slot, y, x);
  #for k in 0..3
  checkpoints[to_i + ${k}] = state[from_i + ${k} * plane()];
  #end
}
#end

#if PHASE === "restore"
var<workgroup> done: f32;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = i32(group.x);
  if (local == 0) { done = sweeps_done(n); }
  // The sweeps may have stopped before this checkpoint.
  if (workgroupUniformLoad(&done) <= f32(P.sweep)) { return; }
  let end = min(P.end * ${WORKGROUP}, P.dx_size.z * P.dx_size.w);
  for (var i = P.begin * ${WORKGROUP} + i32(local); i < end; i += ${WORKGROUP}) {
    let y = quotient(i, P.dx_size.w);
    let x = i - y * P.dx_size.w;
    let from_i = 3 * pixel(n, P.slots, P.slot, y, x);
    let to_i = state_of(n) + (y + 1) * stride() + x + 1;
    #for k in 0..3
    state[to_i + ${k} * plane()] = checkpoints[from_i + ${k}];
    #end
  }
  if (local == 0 && P.end == P.turns) {
    let known = state_of(n) + 3 * plane();
    state[known] = vec4f(0, f32(P.sweep), 0, 0);
    state[known + 1] = vec4f(0, f32(P.sweep), 0, 0);
  }
}
#end

#if PHASE === "tape"
fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let t = state_of(n) + plane() + (y + 1) * stride() + x + 1;
  let i = 2 * pixel(n, P.slots, P.slot, y, x);
  tape[i] = state[t];
  tape[i + 1] = state[t + plane()];
}
#end

#if PHASE === "sweep"
var<workgroup> done: f32;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = i32(group.x);
  let rows = P.dx_size.z;
  let columns = P.dx_size.w;
  if (local == 0) { done = sweeps_done(n); }
  if (workgroupUniformLoad(&done) <= f32(P.sweep)) { return; }
  let u = 7 * n * plane();
  let a = u + plane();
  let t = a + plane();
  let s = t + 2 * plane();
  for (var turn = P.begin; turn < P.end; turn++) {
    let diagonal = rows + columns - 2 - turn;
    let last = min(diagonal, rows - 1);
    for (var y = max(0, diagonal - columns + 1) + i32(local); y <= last; y += ${WORKGROUP}) {
      let x = diagonal - y;
      let i = (y + 1) * stride() + x + 1;
      let q = Pair(alpha * adjoint[a + i + 1], alpha * adjoint[a + i + stride()]);
      adjoint[a + i] = adjoint[u + i] + q.x + q.y;
      let b = shrink_at(n, P.slot + 1, y, x);
      let by_b = jacobian_times(b, q);
      adjoint[s + i] = adjoint[t + i] + q.x - 2 * by_b.x;
      adjoint[s + plane() + i] = adjoint[t + plane() + i] + q.y - 2 * by_b.y;
      #if OF === "weight"
      adjoint[s + 2 * plane() + i] -= 2 * lambda_times(b, q);
      #end
    }
    storageBarrier();
  }
}
#end

#if PHASE === "step"
fn compute(n: i32, c4: i32, y: i32, x: i32) {
  if (sweeps_done(n) <= f32(P.sweep)) { return; }
  let i = (y + 1) * stride() + x + 1;
  let u = 7 * n * plane();
  let a = u + plane();
  let t = a + plane();
  let s = t + 2 * plane();
  let result = s + 2 * plane();
  let here = adjoint[a + i];
  let s_x = adjoint[s + i];
  let s_y = adjoint[s + plane() + i];
  adjoint[u + i] = alpha * (adjoint[a + i - 1] + adjoint[a + i - stride()])
    + adjoint[s + i - 1] + adjoint[s + plane() + i - stride()] - s_x - s_y;
  let b = shrink_at(n, P.slot, y, x);
  let q = Pair(s_x + 2 * alpha * here, s_y + 2 * alpha * here);
  let by_b = jacobian_times(b, q);
  adjoint[t + i] = by_b.x - alpha * here;
  adjoint[t + plane() + i] = by_b.y - alpha * here;
  #if OF === "weight"
  adjoint[result + i] += lambda_times(b, q);
  #else
  var share = beta * here;
  // The border of u is f's: the last columns and rows repeated, the second ones mirrored.
  let last_y = P.dx_size.z - 1;
  let last_x = P.dx_size.w - 1;
  if (x == last_x) { share += alpha * here + s_x; }
  if (y == last_y) { share += alpha * here + s_y; }
  if (x == min(1, last_x)) { share += alpha * adjoint[a + i - x]; }
  if (y == min(1, last_y)) { share += alpha * adjoint[a + i - y * stride()]; }
  adjoint[result + i] += share;
  #end
}
#end

#if PHASE === "finish"
fn compute(n: i32, c4: i32, y: i32, x: i32) {
  let i = 7 * n * plane() + (y + 1) * stride() + x + 1;
  let result = adjoint[i + 6 * plane()];
  #if OF === "weight"
  store_dx(n, 0, y, x, 2 * result); // λ = 2·weight
  #else
  store_dx(n, 0, y, x, result + adjoint[i]);
  #end
}
#end
