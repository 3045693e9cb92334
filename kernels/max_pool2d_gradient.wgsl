// Gradient of the maximum: dx[p] = Σ of dy over the windows whose winner (their window position,
// from max_pool2d.wgsl) is pixel p. A gather over the windows that contain p.

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = i32(id.x);
  let y = i32(id.y);
  let n = i32(id.z) / P.dx_size.y;
  let c = i32(id.z) % P.dx_size.y;
  if (x >= P.dx_size.w || y >= P.dx_size.z) { return; }
  var sum = vec4f();
  for (var ky = 0; ky < P.kernel_y; ky++) {
    let ty = y + P.padding_y - ky;
    if (ty < 0 || ty % P.stride_y != 0 || ty / P.stride_y >= P.dy_size.z) { continue; }
    for (var kx = 0; kx < P.kernel_x; kx++) {
      let tx = x + P.padding_x - kx;
      if (tx < 0 || tx % P.stride_x != 0 || tx / P.stride_x >= P.dy_size.w) { continue; }
      let winner = load_indices(n, c, ty / P.stride_y, tx / P.stride_x);
      let dy = load_dy(n, c, ty / P.stride_y, tx / P.stride_x);
      sum += select(vec4f(), dy, winner == vec4f(f32(ky * P.kernel_x + kx)));
    }
  }
  store_dx(n, c, y, x, sum);
}
