// Sum along one axis, which the result keeps with size 1. Sequential per output texel: callers
// take the longest axis first, so that many invocations share the work.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  #if AXIS === 0
  for (var i = 0; i < P.x_size.x; i++) { sum += load_x(i, c, y, x); }
  #end
  #if AXIS === 1
  for (var i = 0; i < P.x_size.y; i++) { sum += load_x(n, i, y, x); }
  sum = vec4f(sum.x + sum.y + sum.z + sum.w, 0, 0, 0);
  #end
  #if AXIS === 2
  for (var i = 0; i < P.x_size.z; i++) { sum += load_x(n, c, i, x); }
  #end
  #if AXIS === 3
  for (var i = 0; i < P.x_size.w; i++) { sum += load_x(n, c, y, i); }
  #end
  store_y(n, c, y, x, sum);
}
