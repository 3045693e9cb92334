// Total-variation denoising by split Bregman (Goldstein & Osher 2009; Getreuer 2012), all
// channels of a pixel at once: minimises Σ|∇u| + (weight/2) Σ (u − f)² with λ = 2·weight.
//
// One sweep updates every pixel in reading order (Gauss–Seidel), as scikit-image does:
//
//   u ← (λ·(u_E + u_W + u_S + u_N + dx_W − dx + dy_N − dy − bx_W + bx − by_N + by) + weight·f) / (weight + 4λ)
//   t = ∇u (before the update) + b,  s = |t| per channel,  d ← t·λs/(1 + λs),  b ← t − d
//
// Sweeps stop after `sweeps`, or when the RMS change of one falls to eps. Reading order is kept
// by walking the anti-diagonals, whose pixels do not depend on each other: one workgroup per
// picture, a barrier per diagonal. state: five planes (u with a border of one, dx, dy, bx, by).
// settings: [1,2,1,1] = weight, eps.

var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> change: f32;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let me = i32(local);
  let n = i32(group.x);
  let rows = P.x_size.z;
  let columns = P.x_size.w;
  let stride = columns + 2;
  let plane = stride * (rows + 2);
  let u = n * 5 * plane;
  let dx = u + plane;
  let dy = dx + plane;
  let bx = dy + plane;
  let by = bx + plane;
  let weight = texel_settings(0, 0).x;
  let eps = texel_settings(0, 0).y;
  let lambda = 2 * weight;
  let norm = weight + 4 * lambda;

  for (var i = me; i < plane; i += ${WORKGROUP}) {
    // The border starts as the mirrored second row or column and is never updated.
    var r = i / stride - 1;
    var c = i % stride - 1;
    if (r < 0) { r = min(1, rows - 1); } else if (r >= rows) { r = max(rows - 2, 0); }
    if (c < 0) { c = min(1, columns - 1); } else if (c >= columns) { c = max(columns - 2, 0); }
    state[u + i] = load_x(n, 0, r, c);
    state[dx + i] = vec4f();
    state[dy + i] = vec4f();
    state[bx + i] = vec4f();
    state[by + i] = vec4f();
  }
  storageBarrier();

  for (var sweep = 0; sweep < P.sweeps; sweep++) {
    var squares = 0.0;
    for (var diagonal = 0; diagonal < rows + columns - 1; diagonal++) {
      let last = min(diagonal, rows - 1);
      for (var r = max(0, diagonal - columns + 1) + me; r <= last; r += ${WORKGROUP}) {
        let i = (r + 1) * stride + diagonal - r + 1;
        let before = state[u + i];
        let east = state[u + i + 1];
        let south = state[u + i + stride];
        let b_x = state[bx + i];
        let b_y = state[by + i];
        let after = (lambda * (east + state[u + i - 1] + south + state[u + i - stride]
          + state[dx + i - 1] - state[dx + i] + state[dy + i - stride] - state[dy + i]
          - state[bx + i - 1] + b_x - state[by + i - stride] + b_y)
          + weight * load_x(n, 0, r, diagonal - r)) / norm;
        state[u + i] = after;
        let step = after - before;
        squares += dot(step, step);
        let t_x = east - before + b_x;
        let t_y = south - before + b_y;
        let s = lambda * sqrt(t_x * t_x + t_y * t_y);
        let shrink = s / (1 + s);
        state[dx + i] = t_x * shrink;
        state[dy + i] = t_y * shrink;
        state[bx + i] = t_x - t_x * shrink;
        state[by + i] = t_y - t_y * shrink;
      }
      storageBarrier();
    }
    partial[local] = squares;
    workgroupBarrier();
    if (local == 0) {
      var total = 0.0;
      for (var i = 0; i < ${WORKGROUP}; i++) { total += partial[i]; }
      change = sqrt(total / f32(rows * columns * P.x_place.z));
    }
    if (workgroupUniformLoad(&change) <= eps) { break; }
  }

  for (var i = me; i < rows * columns; i += ${WORKGROUP}) {
    let r = i / columns;
    let c = i % columns;
    store_y(n, 0, r, c, state[u + (r + 1) * stride + c + 1]);
  }
}
