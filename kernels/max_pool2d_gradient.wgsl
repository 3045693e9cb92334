// Gradient of the maximum: dx[p] = Σ of dy over the windows whose winner (their window position,
// from max_pool2d.wgsl) is pixel p. A gather over the windows that reach over p; p may lie between
// the elements of a dilated one. GATE: then the gradient of the rectifier before, by its mask.

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  let ty = y + P.padding_y;
  let tx = x + P.padding_x;
  let rows = windows_at(ty, P.span_y, P.stride_y, P.dy_size.z);
  let columns = windows_at(tx, P.span_x, P.stride_x, P.dy_size.w);
  for (var oy = rows.x; oy <= rows.y; oy++) {
    for (var ox = columns.x; ox <= columns.y; ox++) {
      var ky = ty - oy * P.stride_y;
      var kx = tx - ox * P.stride_x;
      #if DILATED
      if (ky % P.dilation_y != 0 || kx % P.dilation_x != 0) { continue; }
      ky /= P.dilation_y;
      kx /= P.dilation_x;
      #end
      let window = n * P.dy_size.w + ox;
      let texel = i32((f32(window) + 0.5) * (1.0 / ${PER}));
      let shift = vec4u(u32(${BITS} * (window - ${PER} * texel)));
      let winner = (vec4i(load_indices(0, c, oy, texel)) >> shift) & vec4i(${2 ** BITS - 1});
      let mine = vec4i(ky * P.kernel_x + kx);
      sum += select(vec4f(), load_dy(n, c, oy, ox), winner == mine);
    }
  }
  #if GATE
  let column = n * P.dx_size.w + x;
  sum = select(vec4f(), sum, passes(load_gate(0, c, y, mask_column(column)), column));
  #end
  store_dx(n, c, y, x, sum);
}
