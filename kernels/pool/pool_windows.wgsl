// The windows of a pooling that reach over a pixel along one axis, from the first (.x) to the last
// (.y) of `count`. t is the pixel's distance from the start of the padding, where window 0 starts;
// window o covers o·stride ≤ t < o·stride + span.
fn windows_at(t: i32, span: i32, stride: i32, count: i32) -> vec2i {
  return vec2i(quotient(max(0, t - span + stride), stride), min(quotient(t, stride), count - 1));
}
