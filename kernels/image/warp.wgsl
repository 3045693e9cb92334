// Bilinear sampling of a picture through an affine map, the border reflected, and its transpose.
// PyTorch's affine_grid + grid_sample(bilinear, padding_mode="reflection", align_corners=False)
// for square or oblong pictures, into another size: with u = 2(x + ½)/W − 1, v = 2(y + ½)/H − 1 of the
// result's width and height,
//
//   y[n,c,y,x] = x at the pixel whose normalised place is (θ0·u + θ1·v + θ2, θ3·u + θ4·v + θ5).
//
// In pixels that is p(o) = middle + (o − centre of the result)·(right, down). theta: [1,6,1,1].
// The picture is the larger world, the grid of outputs looks into it; the transpose reads the grid.

#if TRANSPOSE
fn picture_size() -> vec2i { return P.y_size.wz; }
fn grid_size() -> vec2i { return P.x_size.wz; }
#else
fn picture_size() -> vec2i { return P.x_size.wz; }
fn grid_size() -> vec2i { return P.y_size.wz; }
#end

struct Map { middle: vec2f, right: vec2f, down: vec2f, centre: vec2f }

fn pixel_map() -> Map {
  let t0 = texel_theta(0, 0);
  let t1 = texel_theta(0, 1);
  let size = vec2f(picture_size());
  let grid = vec2f(grid_size());
  return Map(
    (vec2f(t0.z, t1.y) + 1) * size * 0.5 - 0.5,
    vec2f(t0.x, t0.w) * (size / grid.x),
    vec2f(t0.y, t1.x) * (size / grid.y),
    grid * 0.5 - 0.5,
  );
}

fn source(map: Map, x: i32, y: i32) -> vec2f {
  let offset = vec2f(f32(x), f32(y)) - map.centre;
  return map.middle + offset.x * map.right + offset.y * map.down;
}

// The reflected plane holds copies of the picture side by side, every other one mirrored; number 0
// is the picture itself. The copy that a point falls in:
fn cell(p: f32, size: i32) -> i32 { return i32(floor((p + 0.5) / f32(size))); }

#if TRANSPOSE
// Where pixel s lies in copy k.
fn place_in(k: i32, s: i32, size: i32) -> i32 { return select(size - 1 - s, s, (k & 1) == 0); }

// The first and the last copy of pixel s that the points from low to high come within a pixel of.
// Here and below bounds are a hundredth wider, for rounding: too wide costs nothing but time.
fn first_copy(low: f32, s: i32, size: i32) -> i32 {
  let k = cell(low, size);
  return k + select(0, 1, f32(k * size + place_in(k, s, size)) < low - 1.01);
}
fn last_copy(high: f32, s: i32, size: i32) -> i32 {
  let k = cell(high, size);
  return k - select(0, 1, f32(k * size + place_in(k, s, size)) > high + 1.01);
}

// dx[s] = Σ over outputs o of dy[o] · (weight of s in o). The outputs that can touch s lie in the
// image of the box s ± 1 under the inverse map, for s and for its mirror images nearby. What a loop
// needs of P is fetched before it.
fn compute(n: i32, c: i32, sy: i32, sx: i32) {
  let width = picture_size().x;
  let height = picture_size().y;
  let columns = grid_size().x;
  let rows = grid_size().y;
  let size = vec2f(f32(width), f32(height));
  let x_left = n * columns;
  let x_top = P.x_place.x + c * rows;
  let map = pixel_map();
  let right = map.right;
  let down = map.down;
  let determinant = right.x * down.y - right.y * down.x;
  let to_x = vec2f(down.y, -down.x) / determinant;
  let to_y = vec2f(-right.y, right.x) / determinant;
  let reach_x = abs(to_x.x) + abs(to_x.y) + 0.01;
  let reach_y = abs(to_y.x) + abs(to_y.y) + 0.01;
  let origin = source(map, 0, 0);
  // The box of all points the output grid comes from.
  let corner_a = source(map, columns - 1, 0);
  let corner_b = source(map, 0, rows - 1);
  let corner_c = source(map, columns - 1, rows - 1);
  let lowest = min(min(origin, corner_a), min(corner_b, corner_c));
  let highest = max(max(origin, corner_a), max(corner_b, corner_c));
  let kx_first = first_copy(lowest.x, sx, width);
  let kx_last = last_copy(highest.x, sx, width);
  let ky_last = last_copy(highest.y, sy, height);
  var sum = vec4f();
  for (var ky = first_copy(lowest.y, sy, height); ky <= ky_last; ky++) {
    for (var kx = kx_first; kx <= kx_last; kx++) {
      let corner = vec2f(vec2i(kx, ky)) * size;
      let place = vec2f(vec2i(place_in(kx, sx, width), place_in(ky, sy, height)));
      let offset = corner + place - origin;
      let centre = vec2f(dot(to_x, offset), dot(to_y, offset));
      let y_last = min(rows - 1, i32(floor(centre.y + reach_y)));
      let x_first = max(0, i32(ceil(centre.x - reach_x)));
      let x_last = min(columns - 1, i32(floor(centre.x + reach_x)));
      for (var oy = max(0, i32(ceil(centre.y - reach_y))); oy <= y_last; oy++) {
        for (var ox = x_first; ox <= x_last; ox++) {
          let p = source(map, ox, oy);
          let inside = all(p >= corner - 0.5) && all(p < corner + size - 0.5);
          let near = max(vec2f(), 1 - abs(clamp(p - corner, vec2f(), size - 1) - place));
          sum += select(0, near.x * near.y, inside) * sheet_x(x_left + ox, x_top + oy);
        }
      }
    }
  }
  store_y(n, c, sy, sx, sum);
}
#else
// Where a point of the reflected plane lies in the picture; beyond its outermost pixels' centres
// these are taken.
fn reflect_into(p: f32, size: i32) -> f32 {
  let k = cell(p, size);
  let span = f32(size);
  let within = p - f32(k) * span;
  return clamp(select(span - 1 - within, within, (k & 1) == 0), 0, span - 1);
}

fn compute(n: i32, c: i32, y: i32, x: i32) {
  let p = source(pixel_map(), x, y);
  let q = vec2f(reflect_into(p.x, P.x_size.w), reflect_into(p.y, P.x_size.z));
  let low = vec2i(floor(q));
  let high = min(low + 1, vec2i(P.x_size.w - 1, P.x_size.z - 1));
  let f = q - vec2f(low);
  let top = mix(load_x(n, c, low.y, low.x), load_x(n, c, low.y, high.x), f.x);
  let bottom = mix(load_x(n, c, high.y, low.x), load_x(n, c, high.y, high.x), f.x);
  store_y(n, c, y, x, mix(top, bottom, f.y));
}
#end
