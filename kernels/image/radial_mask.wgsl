// m(r) = (g(r) − low)/(high − low), g(r) = exp(−½ (max(0, r − edge)/s)²) or, where PLATEAU is
// false, exp(−½ ((r − edge)/s)²); r = distance in pixels from pixel (⌊H/2⌋, ⌊W/2⌋).
// shape: [1,4,1,1] = edge, s, low, high: the host knows the extremes.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let shape = texel_shape(0, 0);
  let r = length(vec2f(f32(x - P.y_size.w / 2), f32(y - P.y_size.z / 2)));
  #if PLATEAU
  let d = max(0.0, r - shape.x) / shape.y;
  #else
  let d = (r - shape.x) / shape.y;
  #end
  let m = (exp(-0.5 * d * d) - shape.z) / (shape.w - shape.z);
  store_y(n, c, y, x, vec4f(m));
}
