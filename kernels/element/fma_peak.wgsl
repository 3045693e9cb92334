// As many fused multiply-adds as an adapter can do: ten independent sums, nothing to load.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let a = texel_x(0, 0).x;
  let b = texel_x(0, 0).y + f32(x);
  #for i in 0..10
  var sum_${i} = f32(x + ${i});
  #end
  for (var turn = 0; turn < P.turns; turn++) {
    #for unrolled in 0..32
    #for i in 0..10
    sum_${i} = fma(sum_${i}, a, b);
    #end
    #end
  }
  var sum = 0f;
  #for i in 0..10
  sum += sum_${i};
  #end
  store_y(n, c, y, x, vec4f(sum));
}
