// Bilinear sampling of a picture through an affine map, the border reflected, and its transpose.
// PyTorch's affine_grid + grid_sample(bilinear, padding_mode="reflection", align_corners=False)
// for square or oblong pictures: with u = 2(x + ½)/W − 1, v = 2(y + ½)/H − 1,
//
//   y[n,c,y,x] = x at the pixel whose normalised place is (θ0·u + θ1·v + θ2, θ3·u + θ4·v + θ5).
//
// theta: [1,6,1,1], as the texels t0 and t1, which a caller loads once.

fn source(t0: vec4f, t1: vec4f, x: i32, y: i32) -> vec2f {
  let size = vec2f(f32(P.x_size.w), f32(P.x_size.z));
  let uv = (vec2f(f32(2 * x + 1), f32(2 * y + 1))) / size - 1;
  let place = vec2f(
    t0.x * uv.x + t0.y * uv.y + t0.z,
    t0.w * uv.x + t1.x * uv.y + t1.y,
  );
  return ((place + 1) * size - 1) * 0.5;
}

// Into the picture by reflection at its outer edges (−½ and size−½), then onto pixel centres.
fn reflect_into(p: f32, size: i32) -> f32 {
  let span = f32(size);
  let q = abs(p + 0.5);
  let flips = floor(q / span);
  let rest = q - flips * span;
  let inside = select(span - rest, rest, (i32(flips) & 1) == 0) - 0.5;
  return clamp(inside, 0, span - 1);
}

#if TRANSPOSE
// The copy of the picture a point of the reflected plane falls in: 0 is the picture itself.
fn cell(p: f32, size: i32) -> i32 { return i32(floor((p + 0.5) / f32(size))); }

// Where copy k of pixel p lies in the reflected plane.
fn copy_of(p: i32, k: i32, size: i32) -> i32 {
  return k * size + select(size - 1 - p, p, (k & 1) == 0);
}

// dx[s] = Σ over outputs o of dy[o] · (weight of s in o). The outputs that can touch s lie in the
// image of the box s ± 1 under the inverse map, for s and for its mirror images nearby.
fn compute(n: i32, c: i32, sy: i32, sx: i32) {
  let t0 = texel_theta(0, 0);
  let t1 = texel_theta(0, 1);
  let width = P.x_size.w;
  let height = P.x_size.z;
  // The map in pixels is affine: p(o) = origin + o.x·right + o.y·down. Exact weights come from
  // source() below, so rounding here only matters to the bounds, which are widened.
  let origin = source(t0, t1, 0, 0);
  let right = (source(t0, t1, width, 0) - origin) / f32(width);
  let down = (source(t0, t1, 0, height) - origin) / f32(height);
  let determinant = right.x * down.y - right.y * down.x;
  let to_x = vec2f(down.y, -down.x) / determinant;
  let to_y = vec2f(-right.y, right.x) / determinant;
  let reach_x = abs(to_x.x) + abs(to_x.y) + 0.01;
  let reach_y = abs(to_y.x) + abs(to_y.y) + 0.01;
  // Copies of the picture that the output grid can reach.
  let corner_a = source(t0, t1, width - 1, 0);
  let corner_b = source(t0, t1, 0, height - 1);
  let corner_c = source(t0, t1, width - 1, height - 1);
  let lowest = min(min(origin, corner_a), min(corner_b, corner_c));
  let highest = max(max(origin, corner_a), max(corner_b, corner_c));
  var sum = vec4f();
  for (var ky = cell(lowest.y, height); ky <= cell(highest.y, height); ky++) {
    let py = f32(copy_of(sy, ky, height));
    for (var kx = cell(lowest.x, width); kx <= cell(highest.x, width); kx++) {
      let offset = vec2f(f32(copy_of(sx, kx, width)), py) - origin;
      let centre = vec2f(dot(to_x, offset), dot(to_y, offset));
      let y_last = min(height - 1, i32(floor(centre.y + reach_y)));
      let x_last = min(width - 1, i32(floor(centre.x + reach_x)));
      for (var oy = max(0, i32(ceil(centre.y - reach_y))); oy <= y_last; oy++) {
        for (var ox = max(0, i32(ceil(centre.x - reach_x))); ox <= x_last; ox++) {
          let p = source(t0, t1, ox, oy);
          if (cell(p.x, width) != kx || cell(p.y, height) != ky) { continue; }
          let q = vec2f(reflect_into(p.x, width), reflect_into(p.y, height));
          let weight = max(vec2f(), 1 - abs(q - vec2f(f32(sx), f32(sy))));
          if (weight.x * weight.y > 0) {
            sum += weight.x * weight.y * load_x(n, c, oy, ox);
          }
        }
      }
    }
  }
  store_y(n, c, sy, sx, sum);
}
#else
fn compute(n: i32, c: i32, y: i32, x: i32) {
  let t0 = texel_theta(0, 0);
  let t1 = texel_theta(0, 1);
  let p = source(t0, t1, x, y);
  let q = vec2f(reflect_into(p.x, P.x_size.w), reflect_into(p.y, P.x_size.z));
  let low = vec2i(floor(q));
  let high = min(low + 1, vec2i(P.x_size.w - 1, P.x_size.z - 1));
  let f = q - vec2f(low);
  let top = mix(load_x(n, c, low.y, low.x), load_x(n, c, low.y, high.x), f.x);
  let bottom = mix(load_x(n, c, high.y, low.x), load_x(n, c, high.y, high.x), f.x);
  store_y(n, c, y, x, mix(top, bottom, f.y));
}
#end
