// Sum of the parts that lie one after another along the pictures: y[n] = Σ_s x[s·N + n].

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  for (var part = 0; part < P.parts; part++) { sum += load_x(part * P.y_size.x + n, c, y, x); }
  store_y(n, c, y, x, sum);
}
