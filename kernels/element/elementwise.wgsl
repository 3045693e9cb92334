// y = f(operands), element by element, TEXELS neighbours in a row an invocation. LOADS makes the
// texels named LOADED; texel j is a function of those in ARGUMENTS[j].

fn value(${PARAMETERS}) -> vec4f {
  return ${EXPRESSION};
}

fn compute(n: i32, quad: i32, y: i32, x: i32) {
  // All loads come first. What they find beyond the end of a row is not stored.
  #for i in 0..LOADS.length
  let ${LOADED[i]} = ${LOADS[i]};
  #end
  #for j in 0..TEXELS
  if (x + ${j} < P.y_size.w) {
    store_y(n, quad, y, x + ${j}, value(${ARGUMENTS[j]}));
  }
  #end
}
