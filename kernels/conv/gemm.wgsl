// Matrix product with a register tile: a 1×1 convolution of stride 1, and the products of Winograd's
// algorithm.
//
//   y[m, r, p] = epilogue( Σ_c w_b[m, c] · x[c, r, p] ),   r a texel row of a channel quad, p a column,
//
// with one matrix for all rows (BATCHED: a matrix for each row r). Sheets hold the pictures side by
// side, so columns run through all of them. EDGE: the last tile of a row is not full.
//
// One invocation computes 4·QUADS channels (a block) of TILE columns. Weights lie as
// ops/conv2d/weights.ts says for one quad: input c in column c, the outputs of quad m/4 in row m/4
// (BATCHED: that of all rows r in turn). TRANSPOSED: the same weights with inputs for outputs, and in
// a batch in another place (winograd_place.wgsl). A sum stays in registers while all it needs of a
// quad of inputs is added, and workgroups that follow each other read the same columns of x.

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let block = i32(group.x);
  let tile = i32(group.y * ${WORKGROUP} + index);
  let width = P.x_size.x * P.x_size.w;
  let rows = P.x_size.z;
  let row = quotient(tile, P.tiles);
  let left = (tile - row * P.tiles) * ${TILE};
  if (row >= rows) { return; }
  #if BATCHED
  let w_rows = rows;
  #if TRANSPOSED
  var w_row = P.w_place.x + place(row);
  #else
  var w_row = P.w_place.x + row;
  #end
  #else
  let w_rows = 1;
  var w_row = P.w_place.x;
  #end
  #if TRANSPOSED
  let w_column = ${4 * QUADS} * block;
  #else
  w_row += ${QUADS} * block * w_rows;
  var w_column = 0;
  #end

  #for i in 0..QUADS
  #for j in 0..TILE
  var sum_${i}_${j} = vec4f();
  #end
  #end
  var x_row = P.x_place.x + row;
  let quads = P.x_size.y;
  for (var c = 0; c < quads; c++) {
    #for j in 0..TILE
    let x_${j} = sheet_x(left + ${j}, x_row);
    #end
    #for i in 0..QUADS
    {
      #if TRANSPOSED
      #for lane in 0..4
      let t_${lane} = sheet_w(w_column + ${4 * i + lane}, w_row);
      #end
      #for lane in 0..4
      let w_${lane} = vec4f(t_0.${xyzw[lane]}, t_1.${xyzw[lane]}, t_2.${xyzw[lane]}, t_3.${xyzw[lane]});
      #end
      #else
      #for lane in 0..4
      let w_${lane} = sheet_w(w_column + ${lane}, w_row + ${i} * w_rows);
      #end
      #end
      #for j in 0..TILE
      #for lane in 0..4
      sum_${i}_${j} = fma(w_${lane}, vec4f(x_${j}.${xyzw[lane]}), sum_${i}_${j});
      #end
      #end
    }
    #end
    #if TRANSPOSED
    w_row += w_rows;
    #else
    w_column += 4;
    #end
    x_row += rows;
  }

  #for i in 0..QUADS
  {
    let m = block * ${QUADS} + ${i};
    if (m < P.y_size.y) {
      #if BIAS
      let bias = texel_bias(0, m);
      #end
      #for j in 0..TILE
      #if EDGE
      if (left + ${j} < width) {
      #else
      {
      #end
        // The pictures lie side by side, here and in what the epilogue reads: as if they were one.
        var v = sum_${i}_${j};
        #if BIAS
        v += bias;
        #end
        store_y(0, m, row, left + ${j}, epilogue(0, m, row, left + ${j}, v));
      }
      #end
    }
  }
  #end
}
