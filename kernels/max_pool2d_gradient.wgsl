// Gradient of the maximum: dx[p] = Σ of dy over the windows whose winner (their window position,
// from max_pool2d.wgsl) is pixel p. A gather over the windows that reach over p; p may lie between
// the elements of a dilated one. UNROLLED: at most ROWS×COLUMNS windows. GATE: then the gradient of the rectifier before, by its mask.

// dy of a window whose winner the pixel is, else 0.
fn won_by(n: i32, c: i32, y: i32, x: i32, oy: i32, ox: i32) -> vec4f {
  var ky = y + P.padding_y - oy * P.stride_y;
  var kx = x + P.padding_x - ox * P.stride_x;
  #if DILATED
  if (ky % P.dilation_y != 0 || kx % P.dilation_x != 0) { return vec4f(); }
  ky /= P.dilation_y;
  kx /= P.dilation_x;
  #end
  let window = n * P.dy_size.w + ox;
  let texel = i32((f32(window) + 0.5) * (1.0 / ${PER}));
  let shift = vec4u(u32(${BITS} * (window - ${PER} * texel)));
  let winner = (vec4i(load_indices(0, c, oy, texel)) >> shift) & vec4i(${2 ** BITS - 1});
  return select(vec4f(), load_dy(n, c, oy, ox), winner == vec4i(ky * P.kernel_x + kx));
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  let rows = windows_at(y + P.padding_y, P.span_y, P.stride_y, P.dy_size.z);
  let columns = windows_at(x + P.padding_x, P.span_x, P.stride_x, P.dy_size.w);
  #if UNROLLED
  #for a in 0..ROWS
  #for b in 0..COLUMNS
  {
    let oy = rows.x + ${a};
    let ox = columns.x + ${b};
    // The last window once more where there are fewer.
    let dy = won_by(n, c, y, x, min(oy, rows.y), min(ox, columns.y));
    sum += select(vec4f(), dy, oy <= rows.y && ox <= columns.y);
  }
  #end
  #end
  #else
  for (var oy = rows.x; oy <= rows.y; oy++) {
    for (var ox = columns.x; ox <= columns.y; ox++) { sum += won_by(n, c, y, x, oy, ox); }
  }
  #end
  #if GATE
  let column = n * P.dx_size.w + x;
  sum = select(vec4f(), sum, passes(load_gate(0, c, y, mask_column(column)), column));
  #end
  store_dx(n, c, y, x, sum);
}
