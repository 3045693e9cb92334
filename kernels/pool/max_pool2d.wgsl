// Maximum over a window (y), or the window position (ky·kw + kx) of the maximum (indices), or both.
// Of several equal maxima the first in reading order wins, as in PyTorch. Padding never wins.
// UNROLLED: a small window without dilation, KY×KX. FITS: no window reaches beyond the picture.
//
// INDICES: a lane holds the positions of PER neighbours in a texel row (the pictures lie side by side
// in it) as a whole number, BITS bits each, the first the lowest: below 2²⁴, exact in float32.
// VALUES: their maxima too.

struct Winner { value: vec4f, position: vec4f }

// Where the window begins, in a sheet of pictures whose rows and columns are given.
fn winner(row: i32, column: i32, top: i32, left: i32, height: i32, width: i32) -> Winner {
  #if UNROLLED && FITS
  var best = Winner(sheet_x(column + left, row + top), vec4f());
  #for ky in 0..KY
  #for kx in 0..KX
  #if ky + kx > 0
  {
    let v = sheet_x(column + left + ${kx}, row + top + ${ky});
    let wins = v > best.value;
    best = Winner(select(best.value, v, wins), select(best.position, vec4f(${ky * KX + kx}), wins));
  }
  #end
  #end
  #end
  #else
  var best = Winner(vec4f(-3.4028234e38), vec4f(-1));
  #if UNROLLED
  #for ky in 0..KY
  #for kx in 0..KX
  {
    let y = top + ${ky};
    let x = left + ${kx};
    let v = sheet_x(column + clamp(x, 0, width - 1), row + clamp(y, 0, height - 1));
    let inside = y >= 0 && y < height && x >= 0 && x < width;
    // "or no position yet", so that a window of -inf or of the lowest float still has one.
    let wins = ((v > best.value) | (best.position < vec4f())) & vec4<bool>(inside);
    best = Winner(select(best.value, v, wins), select(best.position, vec4f(${ky * KX + kx}), wins));
  }
  #end
  #end
  #else
  for (var ky = 0; ky < P.kernel_y; ky++) {
    let y = top + ky * P.dilation_y;
    if (y < 0 || y >= height) { continue; }
    for (var kx = 0; kx < P.kernel_x; kx++) {
      let x = left + kx * P.dilation_x;
      if (x < 0 || x >= width) { continue; }
      let v = sheet_x(column + x, row + y);
      let wins = (v > best.value) | (best.position < vec4f());
      let position = vec4f(f32(ky * P.kernel_x + kx));
      best = Winner(select(best.value, v, wins), select(best.position, position, wins));
    }
  }
  #end
  #end
  return best;
}

#if INDICES
fn compute(all: i32, c: i32, oy: i32, texel: i32) {
  let width = P.x_size.w;
  let height = P.x_size.z;
  let row = P.x_place.x + c * height;
  let top = oy * P.stride_y - P.padding_y;
  let columns = P.columns;
  let last = P.pictures * columns - 1;
  let stride = P.stride_x;
  let padding = P.padding_x;
  var positions = vec4i();
  var n = quotient(${PER} * texel, columns);
  var ox = ${PER} * texel - n * columns;
  for (var i = 0; i < ${PER}; i++) {
    let best = winner(row, n * width, top, ox * stride - padding, height, width);
    positions |= vec4i(best.position) << vec4u(u32(${BITS} * i));
    #if VALUES
    if (${PER} * texel + i <= last) { store_y(n, c, oy, ox, best.value); }
    #end
    // The last one again beyond the row's end: it is never asked for.
    ox += select(0, 1, ${PER} * texel + i < last);
    let next_picture = ox == columns;
    n += select(0, 1, next_picture);
    ox = select(ox, 0, next_picture);
  }
  store_indices(0, c, oy, texel, vec4f(positions));
}
#else
fn compute(n: i32, c: i32, oy: i32, ox: i32) {
  let width = P.x_size.w;
  let height = P.x_size.z;
  let top = oy * P.stride_y - P.padding_y;
  let left = ox * P.stride_x - P.padding_x;
  store_y(n, c, oy, ox, winner(P.x_place.x + c * height, n * width, top, left, height, width).value);
}
#end
