// Sum over neighbouring channels: y[c] = Σ x[c − before .. c + after], zeros beyond the ends.

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  let first = max(4 * quad - P.before, 0) >> 2;
  let last = min((4 * quad + 3 + P.after) >> 2, P.x_size.y - 1);
  var sum = vec4f();
  for (var q = first; q <= last; q++) {
    let v = load_x(n, q, y, x);
    let distance = 4 * (q - quad) - vec4i(0, 1, 2, 3); // of v's first lane
    #for lane in 0..4
    sum += select(vec4f(), vec4f(v[${lane}]), (distance + ${lane} >= vec4i(-P.before)) & (distance + ${lane} <= vec4i(P.after)));
    #end
  }
  store_y(n, quad, y, x, sum);
}
