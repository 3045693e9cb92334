// Total-variation denoising by split Bregman (Goldstein & Osher 2009; Getreuer 2012), all
// channels of a pixel at once: minimises Σ|∇u| + (weight/2) Σ (u − f)² with λ = 2·weight.
//
// One sweep updates every pixel in reading order (Gauss–Seidel), as scikit-image does. With
// t = d + b, which the shrink splits into b = t/(1 + λ·|t|) per channel, and d = t − b:
//
//   u ← (λ·(u_E + u_W + u_S + u_N + (d − b)x_W − (d − b)x + (d − b)y_N − (d − b)y) + weight·f) / (weight + 4λ)
//   t ← ∇u (before the update) + b
//
// The border of u is never updated: it mirrors the second row and column above and to the left,
// and repeats the last ones below and to the right. Sweeps stop when the RMS change of one falls
// to eps. Reading order is kept by walking bands of rows, a row an invocation, each one pixel behind
// the row above: the pixels of a turn do not depend on each other. A barrier per turn, a dispatch per
// sweep, or several for a large picture (some drivers give up on a kernel after 65535 turns of its
// loops): this one makes the turns P.begin .. P.end − 1 of P.turns. STRETCHED: not all of a sweep's.
//
// PARTS 1: a workgroup per picture, dispatch k does sweep k. PARTS 2: two, and in dispatch k one does
// the upper part of sweep k, the other the lower part of sweep k − 1. From sweep to sweep the line
// between them moves up a row, so that neither touches what the other reads. Whether sweep k − 1 was
// the last is not known before the upper part of sweep k is done; so sweeps write v in turns to two
// planes.
//
// state: planes v = u − f (PARTS of them), tx, ty with a border of one; then what is known after an
// even and an odd dispatch: x is 1 once the sweeps have stopped, y counts those that were done; then
// the squared changes of an even and an odd sweep so far: x of its upper part, y of the rest (of all,
// where there is one part). v is kept instead of u because
// float32 is finer near zero. VEC: as many lanes as there are channels, but at least three.
// APART: tx and ty in memory of their own, where one piece for all is more than a device allows.
// Workgroups take pictures from P.first on. settings: [1,2,1,1] = weight, eps. PHASE: 0 sets up,
// 1 sweeps, 2 writes the result.

#if PHASE === 1
var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> stopped: f32;

#if VEC === 3
fn f_at(column: i32, row: i32) -> vec3f { return sheet_x(column, row).xyz; }
#for m of MEMORIES
fn at${m.end}(i: i32) -> vec3f { return ${m.name}[i].xyz; }
fn put${m.end}(i: i32, v: vec3f) {
  ${m.name}[i].x = v.x;
  ${m.name}[i].y = v.y;
  ${m.name}[i].z = v.z;
}
#end
#else
fn f_at(column: i32, row: i32) -> vec4f { return sheet_x(column, row); }
#for m of MEMORIES
fn at${m.end}(i: i32) -> vec4f { return ${m.name}[i]; }
fn put${m.end}(i: i32, v: vec4f) { ${m.name}[i] = v; }
#end
#end

// 1/(1 + λ·|t|)
fn rest(x: vec${VEC}f, y: vec${VEC}f, lambda: f32) -> vec${VEC}f {
  return 1 / (1 + lambda * sqrt(x * x + y * y));
}
#end

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let me = i32(local);
  #if PHASE === 1
  let index = i32(group.x) / ${PARTS};
  #else
  let index = i32(group.x);
  #end
  let n = P.first + index;
  let rows = P.x_size.z;
  let columns = P.x_size.w;
  let stride = columns + 2;
  let plane = stride * (rows + 2);
  #if APART
  let v = index * (plane + 4);
  let tx = index * plane;
  let ty = tx;
  let known = v + plane;
  #else
  let v = index * (${PARTS + 2} * plane + 4);
  let tx = v + ${PARTS} * plane;
  let ty = tx + plane;
  let known = ty + plane;
  #end

  #if PHASE === 0
  let end = min(P.end * ${WORKGROUP}, plane);
  for (var i = P.begin * ${WORKGROUP} + me; i < end; i += ${WORKGROUP}) {
    #if APART
    state[v + i] = vec4f();
    state_x[tx + i] = vec4f();
    state_y[ty + i] = vec4f();
    #else
    #for k in 0..PARTS + 2
    state[v + ${k} * plane + i] = vec4f();
    #end
    #end
  }
  for (var i = me; i < 4; i += ${WORKGROUP}) { state[known + i] = vec4f(); }
  #end

  #if PHASE === 1
  #if PARTS === 1
  let sweep = P.dispatch;
  let is_lower = true;
  let top = 0;
  let bottom = rows;
  let before_plane = v;
  let after_plane = v;
  #else
  let is_lower = (group.x & 1) == 1;
  let sweep = P.dispatch - select(0, 1, is_lower);
  let line = clamp(P.split - sweep, 0, rows);
  let top = select(0, line, is_lower);
  let bottom = select(line, rows, is_lower);
  let before_plane = v + (sweep & 1) * plane;
  let after_plane = v + (1 - (sweep & 1)) * plane;
  #end
  let sums = known + 2 + (sweep & 1);
  let so_far = state[known + ((P.dispatch + 1) & 1)];
  if (me == 0) { stopped = select(so_far.x, 1, sweep < 0 || sweep >= P.sweeps); }
  if (workgroupUniformLoad(&stopped) != 0) {
    if (me == 0 && is_lower) { state[known + (P.dispatch & 1)] = so_far; }
    return;
  }
  let x_left = n * columns;
  let x_top = P.x_place.x;
  let lambda = 2 * texel_settings(0, 0).x;
  var squares = 0.0;
  let span = columns + ${WORKGROUP - 1};
  #if STRETCHED
  let first_band = quotient(P.begin, span);
  var first_turn = P.begin - first_band * span;
  var left = P.end - P.begin;
  for (var band = top + first_band * ${WORKGROUP}; band < bottom && left > 0; band += ${WORKGROUP}) {
    let turns = min(span, first_turn + left);
  #else
  let first_turn = 0;
  for (var band = top; band < bottom; band += ${WORKGROUP}) {
    let turns = span;
  #end
    let r = band + me;
    // What the pixel to the west left behind, and here, which was its east.
    var f_west = vec${VEC}f();
    var v_west = vec${VEC}f();
    var q_west = vec${VEC}f();
    var here = vec${VEC}f();
    var before = vec${VEC}f();
    for (var turn = first_turn; turn < turns; turn++) {
      let c = turn - me;
      if (r < bottom && c >= 0 && c < columns) {
        let i = (r + 1) * stride + c + 1;
        #if STRETCHED
        // What a turn of the dispatch before has left.
        if (c > 0 && turn == first_turn) {
          f_west = f_at(x_left + c - 1, x_top + r);
          v_west = at(after_plane + i - 1);
          let t_west = at_x(tx + i - 1);
          q_west = t_west - 2 * t_west * rest(t_west, at_y(ty + i - 1), lambda);
          here = f_at(x_left + c, x_top + r);
          before = at(before_plane + i);
        }
        #end
        if (c == 0) {
          f_west = f_at(x_left + min(1, columns - 1), x_top + r);
          here = f_at(x_left, x_top + r);
          before = at(before_plane + i);
        }
        // Neighbours as differences from f here: exact where they are close.
        let f_east = f_at(x_left + min(c + 1, columns - 1), x_top + r);
        let f_south = f_at(x_left + c, x_top + min(r + 1, rows - 1));
        let f_north = f_at(x_left + c, x_top + select(r - 1, min(1, rows - 1), r == 0));
        let v_east = at(before_plane + i + 1);
        let east = f_east - here + v_east;
        let west = f_west - here + v_west;
        let south = f_south - here + at(before_plane + i + stride);
        let north = f_north - here + at(after_plane + i - stride);
        // q is d − b.
        let t_x = at_x(tx + i);
        let t_y = at_y(ty + i);
        let b_rest = rest(t_x, t_y, lambda);
        let t_north = at_y(ty + i - stride);
        let q_north = t_north - 2 * t_north * rest(at_x(tx + i - stride), t_north, lambda);
        let b_x = t_x * b_rest;
        let b_y = t_y * b_rest;
        // λ/(weight + 4λ) is 2/9, and f, from which all differ, has the rest.
        let after = (2.0 / 9.0) * (east + west + south + north
          + q_west - (t_x - 2 * b_x) + q_north - (t_y - 2 * b_y));
        put(after_plane + i, after);
        let step = after - before;
        squares += dot(step, step);
        let next_x = east - before + b_x;
        let next_y = south - before + b_y;
        put_x(tx + i, next_x);
        put_y(ty + i, next_y);
        q_west = next_x - 2 * next_x * rest(next_x, next_y, lambda);
        f_west = here;
        v_west = after;
        here = f_east;
        before = v_east;
      }
      storageBarrier();
    }
    #if STRETCHED
    left -= turns - first_turn;
    first_turn = 0;
    #end
  }
  partial[local] = squares;
  workgroupBarrier();
  if (me == 0) {
    var total = 0.0;
    for (var i = 0; i < ${WORKGROUP}; i++) { total += partial[i]; }
    #if PARTS === 2
    if (!is_lower) {
      #if STRETCHED
      total += select(state[sums].x, 0, P.begin == 0);
      #end
      state[sums].x = total;
      return;
    }
    #end
    #if STRETCHED
    total += select(state[sums].y, 0, P.begin == 0);
    state[sums].y = total;
    if (P.end < P.turns) { return; }
    #end
    #if PARTS === 2
    total += state[sums].x;
    #end
    let change = sqrt(total / f32(rows * columns * P.x_place.z));
    let stop = select(0.0, 1.0, change <= texel_settings(0, 0).y);
    state[known + (P.dispatch & 1)] = vec4f(stop, so_far.y + 1, 0, 0);
  }
  #end

  #if PHASE === 2
  #if PARTS === 2
  let result = v + (i32(state[known + (P.dispatch & 1)].y) & 1) * plane;
  #else
  let result = v;
  #end
  let end = min(P.end * ${WORKGROUP}, rows * columns);
  for (var i = P.begin * ${WORKGROUP} + me; i < end; i += ${WORKGROUP}) {
    let r = quotient(i, columns);
    let c = i - r * columns;
    store_y(n, 0, r, c, load_x(n, 0, r, c) + state[result + (r + 1) * stride + c + 1]);
  }
  #end
}
