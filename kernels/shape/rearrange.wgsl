// Elements in another order: each digit of a result's coordinates, ⌊c/below⌋ mod size, times a weight
// is part of one of x's coordinates. n, q, y, x: pictures, channels, rows, columns. WHOLE: channels
// stay what they are, so quads of them do.

fn digit(place: i32, below: i32, size: i32) -> i32 {
  let above = quotient(place, below);
  return above - quotient(above, size) * size;
}

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  #if WHOLE
  var from_n = 0;
  var from_y = 0;
  var from_x = 0;
  #for d of DIGITS
  from_${d.to} += digit(${d.from}, P.below_${d.i}, P.size_${d.i}) * P.weight_${d.i};
  #end
  store_y(n, quad, y, x, load_x(from_n, quad, from_y, from_x));
  #else
  var v = vec4f();
  for (var lane = 0; lane < 4; lane++) {
    let q = 4 * quad + lane;
    var from_n = 0;
    var from_q = 0;
    var from_y = 0;
    var from_x = 0;
    #for d of DIGITS
    from_${d.to} += digit(${d.from}, P.below_${d.i}, P.size_${d.i}) * P.weight_${d.i};
    #end
    if (q < P.y_place.z) { v[lane] = load_x(from_n, from_q >> 2, from_y, from_x)[from_q & 3]; }
  }
  store_y(n, quad, y, x, v);
  #end
}
