// y = Σ x, or Σ x², or the largest x, or Σ (x − mean)·z with a mean that is repeated along some axes
// (MEAN loads it) and z = x − mean unless given, along one axis. y keeps the axis with a smaller size P (1 at
// the end, more for the parts of a long axis): result p takes the elements p, p + P, p + 2P, ...

fn element(n: i32, c: i32, y: i32, x: i32) -> vec4f {
  var v = load_x(n, c, y, x);
  #if REDUCE === "centred dot"
  v -= ${MEAN};
  #if Z
  v *= load_z(n, c, y, x);
  #else
  v *= v;
  #end
  #end
  #if REDUCE === "sum of squares"
  v *= v;
  #end
  #if AXIS === 1 && REDUCE === "max"
  v = select(vec4f(v.x), v, vec4i(0, 1, 2, 3) + 4 * c < vec4i(P.x_place.z)); // not the lanes beyond
  #end
  #if AXIS === 1 && REDUCE === "centred dot"
  v = select(vec4f(), v, vec4i(0, 1, 2, 3) + 4 * c < vec4i(P.x_place.z));
  #end
  return v;
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let first = ${FIRST};
  var result = element(n, c, y, x);
  for (var i = first + P.y_size[${AXIS}]; i < P.x_size[${AXIS}]; i += P.y_size[${AXIS}]) {
    let next = element(${NEXT});
    #if REDUCE === "max"
    result = max(result, next);
    #else
    result += next;
    #end
  }
  #if LANES && REDUCE === "max"
  result = vec4f(max(max(result.x, result.y), max(result.z, result.w)), 0, 0, 0);
  #end
  #if LANES && REDUCE !== "max"
  result = vec4f((result.x + result.y) + (result.z + result.w), 0, 0, 0);
  #end
  store_y(n, c, y, x, result);
}
