// y = f(operands), element by element, TEXELS neighbours in a row an invocation. An operand whose
// size is 1 along an axis is repeated along it (the flags in BROADCAST: picture, channel, row,
// column).

fn value(${NAMES.map((name) => name + ": vec4f").join(", ")}) -> vec4f {
  return ${EXPRESSION};
}

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  // All loads come first. What they find beyond the end of a row is not stored.
  #for i in 0..NAMES.length
  #for j in 0..(BROADCAST[i][3] ? 1 : TEXELS)
  #if BROADCAST[i][1]
  let ${NAMES[i]}${j} = vec4f(load_${NAMES[i]}(${BROADCAST[i][0] ? "0" : "n"}, 0, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x + " + j}).x);
  #else
  let ${NAMES[i]}${j} = load_${NAMES[i]}(${BROADCAST[i][0] ? "0" : "n"}, quad, ${BROADCAST[i][2] ? "0" : "y"}, ${BROADCAST[i][3] ? "0" : "x + " + j});
  #end
  #end
  #end
  #for j in 0..TEXELS
  if (x + ${j} < P.y_size.w) {
    store_y(n, quad, y, x + ${j}, value(${NAMES.map((name, i) => name + (BROADCAST[i][3] ? 0 : j)).join(", ")}));
  }
  #end
}
