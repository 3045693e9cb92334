// Depthwise convolution and its input gradient: every channel has its own filter.
//
//   y[n,c,oy,ox] = Σ_{ky,kx} w[c,ky,kx] · x[n, c, ty / up, tx / up],   t = s·o + d·k + start,
//
// where only taps with t divisible by `up` and inside the picture count. Forward: up = 1. Input
// gradient of stride r: s = 1, up = r, filters flipped. w: column kx, row c4·kh + ky.
//
// One invocation computes TILE neighbouring pixels, TILE a multiple of up: then what reaches a
// pixel of the tile is known here. TAPS[j] are the columns of the filter that do, each with the pixel
// of x it reads; READ are all these pixels. EDGE: the last tile of a row is not full.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let oy = quotient(i32(id.x), P.tiles);
  let tile = i32(id.x) - oy * P.tiles;
  let n = i32(id.y);
  let c = i32(id.z);
  if (oy >= P.y_size.z) { return; }
  #for j in 0..TILE
  var sum_${j} = vec4f();
  #end
  let left = tile * ${ADVANCE} + P.x_start;
  let column = n * P.x_size.w;
  let last = P.x_size.w - 1;
  let rows = P.x_size.z;
  let x_row = P.x_place.x + c * rows;
  let w_row = P.w_place.x + c * ${ROWS};
  let top = oy * P.stride_y + P.y_start;
  let dilation_y = P.dilation_y;
  let up_y = P.up_y;
  #for ky in 0..ROWS
  {
    let ty = top + ${ky} * dilation_y;
    let iy = quotient(max(ty, 0), up_y);
    let end = select(0, last + 1, ty >= 0 && iy * up_y == ty && iy < rows);
    let row = x_row + min(iy, rows - 1);
    #for kx in 0..COLUMNS
    let w_${kx} = sheet_w(${kx}, w_row + ${ky});
    #end
    #for o of READ
    let x_${o} = select(vec4f(), sheet_x(column + clamp(left + ${o}, 0, last), row), left + ${o} >= 0 && left + ${o} < end);
    #end
    #for j in 0..TILE
    #for tap of TAPS[j]
    sum_${j} = fma(w_${tap.column}, x_${tap.pixel}, sum_${j});
    #end
    #end
  }
  #end

  #if BIAS
  let bias = texel_bias(0, c);
  #end
  let width = P.y_size.w;
  #for j in 0..TILE
  #if EDGE
  if (tile * ${TILE} + ${j} < width) {
  #else
  {
  #end
    let x = tile * ${TILE} + ${j};
    #if BIAS
    let sum = sum_${j} + bias;
    #else
    let sum = sum_${j};
    #end
    store_y(n, c, oy, x, epilogue(n, c, oy, x, sum));
  }
  #end
}
