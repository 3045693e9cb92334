// y = f(operands), element by element. An operand whose size is 1 along an axis is repeated along
// it (the flags in BROADCAST: picture, channel, row, column).

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  #for i in 0..OPERANDS
  #if BROADCAST[i][1]
  let ${"abcdefg"[i]} = vec4f(load_${"abcdefg"[i]}(${BROADCAST[i][0] ? "0" : "n"}, 0, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x"}).x);
  #else
  let ${"abcdefg"[i]} = load_${"abcdefg"[i]}(${BROADCAST[i][0] ? "0" : "n"}, quad, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x"});
  #end
  #end
  store_y(n, quad, y, x, ${EXPRESSION});
}
