// y = f(operands), element by element. An operand whose size is 1 along an axis is repeated along
// it (the flags in BROADCAST: picture, channel, row, column).

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = i32(id.x);
  let y = i32(id.y);
  let n = quotient(i32(id.z), P.y_size.y);
  let quad = i32(id.z) - n * P.y_size.y;
  if (x >= P.y_size.w || y >= P.y_size.z) { return; }
  #for i in 0..OPERANDS
  #if BROADCAST[i][1]
  let ${"abc"[i]} = vec4f(load_${"abc"[i]}(${BROADCAST[i][0] ? "0" : "n"}, 0, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x"}).x);
  #else
  let ${"abc"[i]} = load_${"abc"[i]}(${BROADCAST[i][0] ? "0" : "n"}, quad, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x"});
  #end
  #end
  store_y(n, quad, y, x, ${EXPRESSION});
}
