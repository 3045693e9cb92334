// Which element of a tile's transformed weights, counted row by row, multiplies element e of a tile
// in the gradient, whose filter is reversed: see ops/conv2d/winograd.ts. PLACE is that along one axis.
fn place(e: i32) -> i32 {
  let a = small_quotient(e, ${PLACE.length});
  return ${PLACE.length} * place_along(a) + place_along(e - ${PLACE.length} * a);
}

fn place_along(a: i32) -> i32 {
  var p = 0;
  #for k in 0..PLACE.length
  p = select(p, ${PLACE[k]}, a == ${k});
  #end
  return p;
}
