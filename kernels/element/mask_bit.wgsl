// Whether a mask lets each channel of pixel `column` (counted through the pictures of a row) through:
// a bit for each pixel, 24 to a texel, see rectifier_mask.wgsl.
fn passes(bits: vec4f, column: i32) -> vec4<bool> {
  return ((vec4i(bits) >> vec4u(u32(column - 24 * mask_column(column)))) & vec4i(1)) != vec4i();
}

// ⌊column/24⌋, in which texel of a mask's row the pixel's bit is.
fn mask_column(column: i32) -> i32 {
  return i32((f32(column) + 0.5) * (1.0 / 24));
}
