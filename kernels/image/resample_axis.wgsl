// y = M·x along one axis, M sparse: output o is a weighted sum of neighbouring inputs. Column o of m
// holds the first of them and their number in row 0, and from row 1 on their weights, four a texel.
// Summed in blocks, so that float32's rounding does not add up over long bands.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  #if AXIS === 3
  let o = x;
  #else
  let o = y;
  #end
  let band = vec2i(texel_m(o, 0).xy);
  #if AXIS === 3
  let last = P.x_size.w - 1;
  #else
  let last = P.x_size.z - 1;
  #end
  var sum = vec4f();
  for (var block = 0; block < band.y; block += 64) {
    var part = vec4f();
    for (var k = block; k < min(block + 64, band.y); k += 4) {
      let weights = texel_m(o, 1 + (k >> 2));
      // Weights beyond the band are zero.
      #for lane in 0..4
      #if AXIS === 3
      part += weights[${lane}] * load_x(n, c, y, min(band.x + k + ${lane}, last));
      #else
      part += weights[${lane}] * load_x(n, c, min(band.x + k + ${lane}, last), x);
      #end
      #end
    }
    sum += part;
  }
  store_y(n, c, y, x, sum);
}
