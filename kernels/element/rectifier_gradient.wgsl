// dx = dy where the mask lets it through, else 0.

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  let column = n * P.dx_size.w + x;
  let through = passes(load_mask(0, quad, y, mask_column(column)), column);
  store_dx(n, quad, y, x, select(vec4f(), load_dy(n, quad, y, x), through));
}
