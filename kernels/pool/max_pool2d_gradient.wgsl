// Gradient of the maximum: dx[p] = Σ of dy over the windows whose winner (their window position,
// from max_pool2d.wgsl) is pixel p. A gather over the windows that reach over p; p may lie between
// the elements of a dilated one. UNROLLED: a small window without dilation, KY×KX in
// steps of SY×SX, ROWS×COLUMNS of which reach over a pixel; an invocation computes the SY×SX pixels that the same windows reach over.

// The position of the winner in a window.
fn winner_of(n: i32, c: i32, oy: i32, ox: i32) -> vec4i {
  let window = n * P.dy_size.w + ox;
  let texel = i32((f32(window) + 0.5) * (1.0 / ${PER}));
  let shift = vec4u(u32(${BITS} * (window - ${PER} * texel)));
  return (vec4i(load_indices(0, c, oy, texel)) >> shift) & vec4i(${MASK});
}

#if UNROLLED
@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = small_quotient(i32(id.z), P.dx_size.y);
  let c = i32(id.z) - n * P.dx_size.y;
  // The first window that starts here; others reach over these pixels from before.
  let row = i32(id.y);
  let column = i32(id.x);
  #for jy in 0..ROWS
  #for jx in 0..COLUMNS
  let oy_${jy}_${jx} = clamp(row - ${jy}, 0, P.dy_size.z - 1);
  let ox_${jy}_${jx} = clamp(column - ${jx}, 0, P.dy_size.w - 1);
  let is_${jy}_${jx} = oy_${jy}_${jx} == row - ${jy} && ox_${jy}_${jx} == column - ${jx};
  let winner_${jy}_${jx} = select(vec4i(-1), winner_of(n, c, oy_${jy}_${jx}, ox_${jy}_${jx}), is_${jy}_${jx});
  let dy_${jy}_${jx} = load_dy(n, c, oy_${jy}_${jx}, ox_${jy}_${jx});
  #end
  #end
  #for iy in 0..SY
  #for ix in 0..SX
  {
    let y = row * ${SY} + ${iy} - P.padding_y;
    let x = column * ${SX} + ${ix} - P.padding_x;
    if (y >= 0 && y < P.dx_size.z && x >= 0 && x < P.dx_size.w) {
      var sum = vec4f();
      #for jy in 0..ROWS
      #for jx in 0..COLUMNS
      #if iy + jy * SY < KY && ix + jx * SX < KX
      sum += select(vec4f(), dy_${jy}_${jx}, winner_${jy}_${jx} == vec4i(${(iy + jy * SY) * KX + ix + jx * SX}));
      #end
      #end
      #end
      store_dx(n, c, y, x, sum);
    }
  }
  #end
  #end
}
#else
// dy of a window whose winner the pixel is, else 0.
fn won_by(n: i32, c: i32, y: i32, x: i32, oy: i32, ox: i32) -> vec4f {
  var ky = y + P.padding_y - oy * P.stride_y;
  var kx = x + P.padding_x - ox * P.stride_x;
  #if DILATED
  if (ky % P.dilation_y != 0 || kx % P.dilation_x != 0) { return vec4f(); }
  ky /= P.dilation_y;
  kx /= P.dilation_x;
  #end
  return select(vec4f(), load_dy(n, c, oy, ox), winner_of(n, c, oy, ox) == vec4i(ky * P.kernel_x + kx));
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  var sum = vec4f();
  let rows = windows_at(y + P.padding_y, P.span_y, P.stride_y, P.dy_size.z);
  let columns = windows_at(x + P.padding_x, P.span_x, P.stride_x, P.dy_size.w);
  for (var oy = rows.x; oy <= rows.y; oy++) {
    for (var ox = columns.x; ox <= columns.y; ox++) { sum += won_by(n, c, y, x, oy, ox); }
  }
  store_dx(n, c, y, x, sum);
}
#end
