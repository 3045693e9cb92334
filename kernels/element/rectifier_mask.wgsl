// Where a rectifier lets its gradient through, known by its output x: a bit for each element, those
// of 24 neighbours in a texel row (the pictures lie side by side in it) as a whole number in one
// lane, the first the lowest. Whole numbers below 2²⁴ are exact in float32.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = quotient(i32(id.x), P.y_size.w);
  let column = i32(id.x) - row * P.y_size.w;
  let quad = i32(id.y);
  if (row >= P.y_size.z) { return; }
  let last = P.x_size.x * P.x_size.w - 1;
  let x_row = quad * P.x_size.z + row;
  var bits = vec4i();
  #for i in 0..24
  {
    // Bits beyond the row's end are never asked for.
    let v = texel_x(min(24 * column + ${i}, last), x_row);
    #if RECTIFIER === "relu6"
    bits += select(vec4i(), vec4i(${1 << i}), (v > vec4f()) & (v < vec4f(6)));
    #else
    bits += select(vec4i(), vec4i(${1 << i}), v > vec4f());
    #end
  }
  #end
  store_y(0, quad, row, column, vec4f(bits));
}
