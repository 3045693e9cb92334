// What follows a convolution's sum (bias included): + residual, activation, and the gate, which is
// the gradient of the rectifier before, known by that rectifier's mask.
fn epilogue(n: i32, c: i32, y: i32, x: i32, sum: vec4f) -> vec4f {
  var v = sum;
  #if RESIDUAL
  v += load_residual(n, c, y, x);
  #end
  #if ACTIVATION === "relu"
  v = max(v, vec4f());
  #end
  #if ACTIVATION === "relu6"
  v = clamp(v, vec4f(), vec4f(6));
  #end
  #if GATE
  let column = n * P.y_size.w + x;
  v = select(vec4f(), v, passes(load_gate(0, c, y, mask_column(column)), column));
  #end
  return v;
}
