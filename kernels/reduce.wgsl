// y = Σ x, or the largest x, along one axis, which y keeps with a smaller size P (1 at the end, more
// for the parts of a long axis): result p takes the elements p, p + P, p + 2P, ...

fn element(n: i32, c: i32, y: i32, x: i32) -> vec4f {
  let v = load_x(n, c, y, x);
  #if AXIS === 1 && REDUCE === "max"
  return select(vec4f(v.x), v, vec4i(0, 1, 2, 3) + 4 * c < vec4i(P.x_place.z)); // not the lanes beyond
  #else
  return v;
  #end
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let first = ${["n", "c", "y", "x"][AXIS]};
  var result = element(n, c, y, x);
  for (var i = first + P.y_size[${AXIS}]; i < P.x_size[${AXIS}]; i += P.y_size[${AXIS}]) {
    let next = element(${["i, c, y, x", "n, i, y, x", "n, c, i, x", "n, c, y, i"][AXIS]});
    #if REDUCE === "max"
    result = max(result, next);
    #else
    result += next;
    #end
  }
  #if LANES && REDUCE === "max"
  result = vec4f(max(max(result.x, result.y), max(result.z, result.w)), 0, 0, 0);
  #end
  #if LANES && REDUCE === "sum"
  result = vec4f((result.x + result.y) + (result.z + result.w), 0, 0, 0);
  #end
  store_y(n, c, y, x, result);
}
