/**
 * Shapes as signed distances: negative inside, zero on the edge, positive outside. Lengths are in
 * the unit of the coordinates given; a shape's own size is a parameter.
 */

/** Distance to a disc around (cx, cy). */
export function disc(x: number, y: number, cx: number, cy: number, radius: number): number {
  return Math.hypot(x - cx, y - cy) - radius;
}

/** Distance to an ellipse around the origin with the given half axes; exact on its edge only. */
export function ellipse(x: number, y: number, halfWidth: number, halfHeight: number): number {
  return (Math.hypot(x / halfWidth, y / halfHeight) - 1) * Math.min(halfWidth, halfHeight);
}

/** Distance to a box around the origin with the given half sides; exact inside. */
export function box(x: number, y: number, halfWidth: number, halfHeight: number): number {
  return Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
}

/** Distance to a line from a to b, `radius` wide to each side, with round ends. */
export function stroke(
  x: number,
  y: number,
  a: readonly [number, number],
  b: readonly [number, number],
  radius: number,
): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy);
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy) - radius;
}

/** Distance to a lens with its tips at (±halfLength, 0): what two equal discs share. */
export function lens(x: number, y: number, halfLength: number, halfWidth: number): number {
  const radius = (halfLength * halfLength + halfWidth * halfWidth) / (2 * halfWidth);
  return Math.hypot(x, Math.abs(y) + radius - halfWidth) - radius;
}

/** Distance to a star with tips at distance 1, the first one up, and notches at distance `notch`. */
export function star(x: number, y: number, tips: number, notch: number): number {
  const [u, v] = fold(x, y, tips);
  const half = Math.PI / tips;
  // The edge runs from the tip (0, 1) to the notch; its normal points outwards.
  const [ex, ey] = [notch * Math.sin(half), notch * Math.cos(half) - 1];
  return ((v - 1) * ex - Math.abs(u) * ey) / Math.hypot(ex, ey);
}

/**
 * Turns a point into the first of `count` equal sectors around the origin, the one around the
 * upward axis, so that what is drawn there once appears `count` times.
 */
export function fold(x: number, y: number, count: number): [number, number] {
  const step = 2 * Math.PI / count;
  const angle = Math.atan2(x, y);
  const folded = angle - step * Math.round(angle / step);
  const radius = Math.hypot(x, y);
  return [radius * Math.sin(folded), radius * Math.cos(folded)];
}

/** The point turned about the origin, by an angle in radians. */
export function turn(x: number, y: number, angle: number): [number, number] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * x - s * y, s * x + c * y];
}

/** The distance of a number to the nearest multiple of `step`. */
export function toNearest(value: number, step: number): number {
  return Math.abs(value - step * Math.round(value / step));
}
