// Whether a mask lets each channel of pixel `column` (counted through the pictures of a row) through:
// a bit for each pixel, 16 to a texel, see rectifier_mask.wgsl.
fn passes(bits: vec4f, column: i32) -> vec4<bool> {
  return ((vec4i(bits) >> vec4u(u32(column & 15))) & vec4i(1)) != vec4i();
}
