// Total-variation denoising by split Bregman (Goldstein & Osher 2009; Getreuer 2012), all
// channels of a pixel at once: minimises Σ|∇u| + (weight/2) Σ (u − f)² with λ = 2·weight.
//
// One sweep updates every pixel in reading order (Gauss–Seidel), as scikit-image does:
//
//   u ← (λ·(u_E + u_W + u_S + u_N + dx_W − dx + dy_N − dy − bx_W + bx − by_N + by) + weight·f) / (weight + 4λ)
//   t = ∇u (before the update) + b,  s = |t| per channel,  d ← t·λs/(1 + λs),  b ← t − d
//
// The border of u is never updated: it mirrors the second row and column above and to the left,
// and repeats the last ones below and to the right. Sweeps stop when the RMS change of one falls
// to eps. Reading order is kept by walking bands of rows, a row an invocation, each one pixel behind
// the row above: the pixels of a turn do not depend on each other. One workgroup per picture, a
// barrier per turn, a dispatch per sweep (some drivers give up on a kernel after 65535 turns of its
// loops).
//
// state: planes f, v = u − f, dx, dy, bx, by with a border of one, then a texel whose x is 1 once
// the sweeps have stopped and whose y counts those that were done. v is kept instead of u because
// float32 is finer near zero.
// Workgroup g takes picture P.first + g.
// settings: [1,2,1,1] = weight, eps. PHASE: 0 sets up, 1 sweeps, 2 writes the result.

#if PHASE === 1
var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> stopped: f32;
#end

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let me = i32(local);
  let n = P.first + i32(group.x);
  let rows = P.x_size.z;
  let columns = P.x_size.w;
  let stride = columns + 2;
  let plane = stride * (rows + 2);
  let f = i32(group.x) * (6 * plane + 1);
  let v = f + plane;
  let dx = v + plane;
  let dy = dx + plane;
  let bx = dy + plane;
  let by = bx + plane;
  let done = by + plane;

  #if PHASE === 0
  for (var i = me; i < plane; i += ${WORKGROUP}) {
    let padded_row = quotient(i, stride);
    var r = padded_row - 1;
    var c = i - padded_row * stride - 1;
    if (r < 0) { r = min(1, rows - 1); }
    if (c < 0) { c = min(1, columns - 1); }
    state[f + i] = load_x(n, 0, min(r, rows - 1), min(c, columns - 1));
    state[v + i] = vec4f();
    state[dx + i] = vec4f();
    state[dy + i] = vec4f();
    state[bx + i] = vec4f();
    state[by + i] = vec4f();
  }
  if (me == 0) { state[done] = vec4f(); }
  #end

  #if PHASE === 1
  if (me == 0) { stopped = state[done].x; }
  if (workgroupUniformLoad(&stopped) != 0) { return; }
  let weight = texel_settings(0, 0).x;
  let lambda = 2 * weight;
  let norm = weight + 4 * lambda;
  var squares = 0.0;
  for (var band = 0; band < rows; band += ${WORKGROUP}) {
    let r = band + me;
    // What the pixel to the west left behind, and here, which was its east.
    var f_west = vec4f();
    var v_west = vec4f();
    var dx_west = vec4f();
    var bx_west = vec4f();
    var here = vec4f();
    var before = vec4f();
    for (var turn = 0; turn < columns + ${WORKGROUP - 1}; turn++) {
      let c = turn - me;
      if (r < rows && c >= 0 && c < columns) {
        let i = (r + 1) * stride + c + 1;
        if (c == 0) {
          f_west = state[f + i - 1];
          here = state[f + i];
          before = state[v + i];
        }
        // Neighbours as differences from f here: exact where they are close.
        let f_east = state[f + i + 1];
        let v_east = state[v + i + 1];
        let east = f_east - here + v_east;
        let west = f_west - here + v_west;
        let south = state[f + i + stride] - here + state[v + i + stride];
        let north = state[f + i - stride] - here + state[v + i - stride];
        let b_x = state[bx + i];
        let b_y = state[by + i];
        let after = lambda * (east + west + south + north
          + dx_west - state[dx + i] + state[dy + i - stride] - state[dy + i]
          - bx_west + b_x - state[by + i - stride] + b_y) / norm;
        state[v + i] = after;
        let step = after - before;
        squares += dot(step, step);
        let t_x = east - before + b_x;
        let t_y = south - before + b_y;
        let s = lambda * sqrt(t_x * t_x + t_y * t_y);
        let shrink = s / (1 + s);
        dx_west = t_x * shrink;
        bx_west = t_x - dx_west;
        state[dx + i] = dx_west;
        state[bx + i] = bx_west;
        state[dy + i] = t_y * shrink;
        state[by + i] = t_y - t_y * shrink;
        f_west = here;
        v_west = after;
        here = f_east;
        before = v_east;
      }
      storageBarrier();
    }
  }
  partial[local] = squares;
  workgroupBarrier();
  if (me == 0) {
    var total = 0.0;
    for (var i = 0; i < ${WORKGROUP}; i++) { total += partial[i]; }
    let change = sqrt(total / f32(rows * columns * P.x_place.z));
    let stop = select(0.0, 1.0, change <= texel_settings(0, 0).y);
    state[done] = vec4f(stop, state[done].y + 1, 0, 0);
  }
  #end

  #if PHASE === 2
  for (var i = me; i < rows * columns; i += ${WORKGROUP}) {
    let r = quotient(i, columns);
    let c = i - r * columns;
    let at = (r + 1) * stride + c + 1;
    store_y(n, 0, r, c, state[f + at] + state[v + at]);
  }
  #end
}
