/** The map's geometry: how its sheet is seen, and which photos there is room for. */

/** A place on the sheet, in pixels. */
export type Point = readonly [x: number, y: number];

/** How the sheet is moved and enlarged. */
export interface View {
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

/** The sheet as it is. */
export const WHOLE: View = { k: 1, x: 0, y: 0 };

/** A place as it is seen. */
export function seen([x, y]: Point, { k, x: dx, y: dy }: View): Point {
  return [k * x + dx, k * y + dy];
}

/**
 * Places that can be squares of some side without one lying on another, the first first. They depend
 * on the scale only, so that nothing comes or goes while the sheet is moved.
 */
export function roomFor(
  places: readonly Point[],
  numbers: readonly number[],
  side: number,
): number[] {
  const cells = new Map<string, Point[]>();
  const chosen: number[] = [];
  for (const number of numbers) {
    const [x, y] = places[number]!;
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    let free = true;
    for (let i = column - 1; free && i <= column + 1; i++) {
      for (let j = row - 1; free && j <= row + 1; j++) {
        free = !cells.get(`${i} ${j}`)?.some(([u, v]) =>
          Math.abs(u - x) < side && Math.abs(v - y) < side
        );
      }
    }
    if (!free) continue;
    const cell = `${column} ${row}`;
    cells.set(cell, [...cells.get(cell) ?? [], [x, y]]);
    chosen.push(number);
  }
  return chosen;
}

/** The place nearest to one, no farther than that; nothing if there is none. */
export function nearest(
  places: readonly Point[],
  [x, y]: Point,
  reach = Infinity,
  counts: (i: number) => boolean = () => true,
): number | undefined {
  let [found, least] = [undefined as number | undefined, reach];
  for (let i = 0; i < places.length; i++) {
    const away = Math.hypot(places[i]![0] - x, places[i]![1] - y);
    if (away <= least && counts(i)) [found, least] = [i, away];
  }
  return found;
}

/** The next place in a direction: near, and rather straight ahead than aside. */
export function next(
  places: readonly Point[],
  from: number,
  [dx, dy]: Point,
  counts: (i: number) => boolean,
): number | undefined {
  const [x, y] = places[from]!;
  let [found, least] = [undefined as number | undefined, Infinity];
  for (let i = 0; i < places.length; i++) {
    const [u, v] = [places[i]![0] - x, places[i]![1] - y];
    const ahead = u * dx + v * dy;
    const aside = Math.abs(u * dy) + Math.abs(v * dx);
    if (i === from || ahead <= 0 || !counts(i)) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [found, least] = [i, cost];
  }
  return found;
}
