/** The motifs: each a short function that draws its random colours and returns how to paint them. */

import type { Random } from "../../base/random.ts";
import { valueNoise } from "./backgrounds.ts";
import { CHALK, type Colour, hsv, INK, mix, shade, vivid } from "./colour.ts";
import { box, disc, ellipse, fold, lens, star, stroke, toNearest, turn } from "./shapes.ts";

/**
 * The colour of a motif at a point of its own plane, or undefined where it is clear. The motif
 * fills about the unit disc; x points right and y up; patterns go on for ever.
 */
export type Paint = (x: number, y: number) => Colour | undefined;

/** One kind of motif. */
export interface Motif {
  /** The largest turn from upright, in radians; PI where any turn looks natural. */
  readonly turn: number;
  /** One random specimen. */
  readonly specimen: (random: Random) => Paint;
}

/** A rounded look: bright in the middle of the unit disc, darker towards its edge. */
function domed(colour: Colour, x: number, y: number): Colour {
  return shade(colour, 1.12 - 0.45 * (x * x + y * y));
}

function ladybird(random: Random): Paint {
  const wings = vivid(random, -0.02, 0.05);
  const spots = [[0.38, 0.22], [0.38, -0.38]].map(([x, y]) => ({
    x: x! + random.uniform(-0.05, 0.05),
    y: y! + random.uniform(-0.05, 0.05),
    radius: random.uniform(0.16, 0.21),
  }));
  return (x, y) => {
    const side = Math.abs(x);
    if (disc(side, y, 0.22, 0.72, 0.09) < 0) return CHALK;
    if (disc(x, y, 0, 0.68, 0.36) < 0) return INK;
    if (ellipse(x, y + 0.1, 0.78, 0.82) < 0) {
      if (side < 0.05 || spots.some((s) => disc(side, y, s.x, s.y, s.radius) < 0)) return INK;
      return domed(wings, x, y + 0.1);
    }
    const legs = [0.3, -0.1, -0.5].some((at) =>
      stroke(side, y, [0.6, at], [1, at + 0.15], 0.045) < 0
    );
    return legs ? INK : undefined;
  };
}

function fish(random: Random): Paint {
  const skin = vivid(random, 0.04, 0.12);
  const bands = [-0.42, -0.02, 0.36].map((at) => at + random.uniform(-0.04, 0.04));
  const width = random.uniform(0.08, 0.11);
  return (x, y) => {
    if (disc(x, y, 0.58, 0.1, 0.045) < 0) return INK;
    if (disc(x, y, 0.58, 0.1, 0.1) < 0) return CHALK;
    if (lens(x - 0.12, y, 0.82, 0.5) < 0) {
      const bent = x + 0.25 * y * y;
      const off = Math.min(...bands.map((at) => Math.abs(bent - at)));
      if (off < width) return CHALK;
      return off < width + 0.05 ? INK : domed(skin, x * 0.8, y * 1.6);
    }
    if (x < -0.5 && x > -1 && Math.abs(y) < 0.1 + 0.95 * (-0.5 - x)) {
      return x < -0.9 ? INK : shade(skin, 0.85);
    }
    const fin = x > -0.3 && x < 0.35 && Math.abs(y) < 0.62 - 0.25 * (x - 0.1);
    return fin && Math.abs(y) > 0.3 ? shade(skin, 0.75) : undefined;
  };
}

function flower(random: Random): Paint {
  const petal = mix(CHALK, vivid(random), random.uniform(0, 0.12));
  const heart = vivid(random, 0.11, 0.15);
  const count = 8 + random.integer(5);
  const slim = 2.5 / count;
  return (x, y) => {
    const centre = disc(x, y, 0, 0, 0.3);
    if (centre < 0) return shade(heart, centre < -0.06 ? 1 : 0.7);
    const [u, v] = fold(x, y, count);
    const edge = ellipse(u, v - 0.6, slim * 0.85, 0.42);
    if (edge > 0) return undefined;
    return shade(petal, edge > -0.04 ? 0.65 : 0.75 + 0.3 * v);
  };
}

function leaf(random: Random): Paint {
  const blade = vivid(random, 0.22, 0.36);
  const vein = mix(blade, CHALK, 0.6);
  const width = random.uniform(0.4, 0.55);
  const gap = random.uniform(0.22, 0.3);
  return (x, y) => {
    if (stroke(x, y, [0, -1.15], [0, 0.85], 0.035) < 0) return vein;
    if (lens(y, x, 0.95, width) > 0) return undefined;
    const across = Math.abs(x);
    if (toNearest(y - 0.8 * across, gap) < 0.03) return vein;
    return shade(blade, 0.9 - 0.5 * across);
  };
}

function starfish(random: Random): Paint {
  const skin = vivid(random, 0.1, 0.17);
  const notch = random.uniform(0.4, 0.5);
  return (x, y) => {
    const edge = star(x, y, 5, notch);
    if (edge > 0) return undefined;
    if (edge > -0.07) return shade(skin, 0.45);
    const [u] = fold(x, y, 5);
    return shade(skin, u > 0 ? 1.05 : 0.75);
  };
}

function checkerboard(random: Random): Paint {
  const [light, dark] = [hsv(random.uniform(), random.uniform(0, 0.3), 0.95), vivid(random)];
  const odd = random.pick([dark, INK]);
  const side = random.uniform(0.25, 0.5);
  return (x, y) => (Math.floor(x / side) + Math.floor(y / side)) % 2 === 0 ? light : odd;
}

function shell(random: Random): Paint {
  const light = hsv(random.uniform(0.05, 0.11), random.uniform(0.25, 0.5), 0.95);
  const dark = shade(hsv(random.uniform(0.02, 0.07), 0.8, 0.6), random.uniform(0.7, 1));
  const hand = random.pick([-1, 1]);
  const growth = random.uniform(0.2, 0.26);
  return (x, y) => {
    const radius = Math.hypot(x, y);
    if (radius > 0.95) return undefined;
    // A logarithmic spiral: along a ray, windings grow wider by the same factor each.
    const winding = Math.log(radius + 0.02) / (2 * Math.PI * growth) -
      hand * Math.atan2(y, x) / (2 * Math.PI);
    const across = winding - Math.floor(winding);
    if (across < 0.16) return INK;
    return mix(light, dark, Math.abs(2 * across - 1.16));
  };
}

function bricks(random: Random): Paint {
  const clay = hsv(random.uniform(0, 0.06), random.uniform(0.5, 0.75), random.uniform(0.55, 0.8));
  const mortar = hsv(0.1, 0.1, random.uniform(0.75, 0.9));
  const tone = valueNoise(random);
  const [length, height] = [random.uniform(0.6, 0.8), random.uniform(0.25, 0.34)];
  return (x, y) => {
    const row = Math.floor(y / height);
    const along = x / length + (row & 1) / 2;
    const inBrick = box(
      (along - Math.floor(along) - 0.5) * length,
      (y / height - row - 0.5) * height,
      length / 2 - 0.035,
      height / 2 - 0.035,
    ) < 0;
    return inBrick ? shade(clay, 0.7 + 0.6 * tone(Math.floor(along) * 3.5, row * 2.5)) : mortar;
  };
}

function butterfly(random: Random): Paint {
  const wing = vivid(random, 0.52, 0.66);
  const spot = vivid(random, 0.08, 0.15);
  const [fore, hind] = [random.uniform(0.42, 0.48), random.uniform(0.34, 0.4)];
  return (x, y) => {
    const side = Math.abs(x);
    if (ellipse(x, y, 0.08, 0.5) < 0) return INK;
    if (stroke(side, y, [0.03, 0.45], [0.28, 0.92], 0.04) < 0) return INK;
    const [a, b] = turn(side - 0.5, y - 0.36, -0.6);
    const [c, d] = turn(side - 0.42, y + 0.42, 0.7);
    const eyes = Math.min(disc(a, b, 0.2, 0, 0), disc(c, d, 0.12, 0, 0));
    const edge = Math.min(ellipse(a, b, 0.56, fore), ellipse(c, d, 0.46, hind));
    if (edge > 0) return undefined;
    if (edge > -0.09 || eyes < 0.08) return INK;
    return eyes < 0.19 ? spot : shade(wing, 0.75 + 0.4 * side);
  };
}

function mushroom(random: Random): Paint {
  const cap = vivid(random, -0.03, 0.03);
  const spots = [[-0.5, 0.2], [-0.1, 0.55], [0.2, 0.15], [0.55, 0.35], [-0.2, 0.12]].map(
    ([x, y]) => ({
      x: x! + random.uniform(-0.06, 0.06),
      y: y! + random.uniform(-0.05, 0.05),
      radius: random.uniform(0.08, 0.14),
    }),
  );
  return (x, y) => {
    if (y > 0 && ellipse(x, y, 0.95, 0.85) < 0) {
      const spotted = spots.some((s) => disc(x, y, s.x, s.y, s.radius) < 0);
      return spotted ? CHALK : domed(cap, x, y * 0.9);
    }
    if (ellipse(x, y, 0.95, 0.16) < 0) return shade(CHALK, 0.55 + 0.15 * Math.sin(40 * x));
    const stem = Math.abs(x) < 0.22 + 0.12 * y * y && y < 0 && y > -0.9;
    return stem ? shade(CHALK, 0.95 - Math.abs(x)) : undefined;
  };
}

function eye(random: Random): Paint {
  const iris = vivid(random, 0.25, 0.65);
  const lid = hsv(random.uniform(0.03, 0.08), random.uniform(0.3, 0.6), random.uniform(0.3, 0.8));
  const look = random.uniform(-0.12, 0.12);
  return (x, y) => {
    const edge = lens(x, y, 1, 0.6);
    if (edge > 0.1) return undefined;
    if (edge > 0) return y > 0 ? INK : lid;
    if (disc(x, y, look + 0.12, 0.14, 0.08) < 0) return CHALK;
    const radius = Math.hypot(x - look, y);
    if (radius < 0.2) return INK;
    if (radius > 0.46) return CHALK;
    const rays = Math.sin(24 * Math.atan2(y, x - look));
    return radius > 0.4 ? shade(iris, 0.4) : shade(iris, 0.85 + 0.2 * rays);
  };
}

function wheel(random: Random): Paint {
  const tyre = shade(INK, random.uniform(1, 3));
  const metal = random.pick([hsv(0.6, 0.08, 0.8), vivid(random)]);
  const spokes = 6 + random.integer(5);
  return (x, y) => {
    const radius = Math.hypot(x, y);
    if (radius > 0.95) return undefined;
    if (radius > 0.75) return tyre;
    if (radius > 0.64) return metal;
    if (radius < 0.18) return radius < 0.08 ? tyre : metal;
    const [u] = fold(x, y, spokes);
    return Math.abs(u) < 0.045 ? metal : undefined;
  };
}

function zebra(random: Random): Paint {
  const noise = valueNoise(random);
  const frequency = random.uniform(7, 12);
  const bend = random.uniform(0.25, 0.5);
  return (x, y) => {
    const bent = x + bend * noise(x * 1.5 + 9, y * 1.5 + 9);
    return Math.sin(frequency * bent) > 0 ? CHALK : INK;
  };
}

function honeycomb(random: Random): Paint {
  const honey = vivid(random, 0.09, 0.13);
  const wall = shade(honey, 0.4);
  const size = random.uniform(0.3, 0.45);
  const [sx, sy] = [size, size * Math.sqrt(3)];
  return (x, y) => {
    // Hexagon centres lie on two rectangular lattices; the nearer centre owns the point.
    const [ax, ay] = [x - sx * Math.round(x / sx), y - sy * Math.round(y / sy)];
    const [hx, hy] = [x - sx / 2, y - sy / 2];
    const [bx, by] = [hx - sx * Math.round(hx / sx), hy - sy * Math.round(hy / sy)];
    const [u, v] = ax * ax + ay * ay < bx * bx + by * by ? [ax, ay] : [bx, by];
    const reach = Math.max(Math.abs(u), Math.abs(u) / 2 + Math.abs(v) * Math.sqrt(3) / 2);
    if (reach > 0.42 * size) return wall;
    return shade(honey, 1.1 - 0.5 * Math.hypot(u, v) / size);
  };
}

function ball(random: Random): Paint {
  const hue = random.uniform();
  const stripes = [hsv(hue, 0.9, 0.95), CHALK, hsv(hue + 0.33, 0.9, 0.9), CHALK];
  const hub = random.uniform(-0.3, 0.3);
  return (x, y) => {
    if (disc(x, y, 0, 0, 0.92) > 0) return undefined;
    const angle = Math.atan2(y, x - hub) / (2 * Math.PI) + 0.5;
    return domed(stripes[Math.floor(angle * 8) % 4]!, x, y);
  };
}

function tree(random: Random): Paint {
  const crown = hsv(random.uniform(0.25, 0.4), random.uniform(0.6, 0.9), random.uniform(0.35, 0.6));
  const bark = hsv(0.07, random.uniform(0.5, 0.7), random.uniform(0.3, 0.45));
  const tiers = [0.35, 0, -0.35].map((at, i) => ({ at, width: 0.45 + 0.15 * i }));
  return (x, y) => {
    const tier = tiers.find(({ at, width }) => y > at && Math.abs(x) < width * (at + 0.65 - y));
    if (tier) return shade(crown, 0.8 + 0.5 * (y - tier.at) + 0.3 * x);
    return box(x, y + 0.65, 0.11, 0.3) < 0 ? bark : undefined;
  };
}

function snowflake(random: Random): Paint {
  const ice = hsv(random.uniform(0.5, 0.6), random.uniform(0.05, 0.3), 1);
  const twigs = [0.4, 0.65].map((at) => at + random.uniform(-0.06, 0.06));
  return (x, y) => {
    const [u, v] = fold(x, y, 6);
    const side = Math.abs(u);
    const edge = Math.min(
      stroke(side, v, [0, 0], [0, 0.95], 0.055),
      ...twigs.map((at) => stroke(side, v, [0, at], [0.19, at + 0.17], 0.045)),
    );
    return edge < 0 ? ice : undefined;
  };
}

function bee(random: Random): Paint {
  const fur = vivid(random, 0.11, 0.15);
  const wing = hsv(0.55, 0.15, random.uniform(0.85, 1));
  const gap = random.uniform(0.34, 0.42);
  return (x, y) => {
    const side = Math.abs(x);
    if (disc(x, y, 0, 0.68, 0.24) < 0) return INK;
    if (ellipse(x, y + 0.15, 0.4, 0.72) < 0) {
      return toNearest(y + 0.1 * x * x, gap) < gap / 4 ? INK : domed(fur, x * 1.5, y * 0.7);
    }
    const [u, v] = turn(side - 0.62, y - 0.22, -0.35);
    const edge = ellipse(u, v, 0.42, 0.22);
    if (edge < 0) return edge > -0.04 ? shade(wing, 0.5) : wing;
    return stroke(side, y, [0.08, 0.85], [0.22, 1.1], 0.03) < 0 ? INK : undefined;
  };
}

function target(random: Random): Paint {
  const [ring, other] = [vivid(random), random.pick([CHALK, INK])];
  const count = 3 + random.integer(3);
  return (x, y) => {
    const radius = Math.hypot(x, y) / 0.95;
    if (radius > 1) return undefined;
    return Math.floor(radius * count) % 2 === 0 ? ring : other;
  };
}

function melon(random: Random): Paint {
  const flesh = vivid(random, -0.04, 0.02);
  const rind = hsv(random.uniform(0.28, 0.36), 0.8, random.uniform(0.4, 0.6));
  const seeds = [[-0.5, 0], [-0.17, 0.1], [0.17, -0.05], [0.5, 0.05], [-0.3, -0.3], [0.05, -0.4], [
    0.35,
    -0.3,
  ]].map(([x, y]) => [x! + random.uniform(-0.04, 0.04), y! + random.uniform(-0.04, 0.04)] as const);
  return (x, y) => {
    const radius = Math.hypot(x, y - 0.3);
    if (y > 0.3 || radius > 1) return undefined;
    if (radius > 0.86) return rind;
    if (radius > 0.78) return mix(CHALK, rind, 0.25);
    return seeds.some(([sx, sy]) => ellipse(x - sx, y - sy, 0.05, 0.09) < 0) ? INK : flesh;
  };
}

/** All motifs by name. */
export const MOTIF_TABLE: Readonly<Record<string, Motif>> = {
  ladybird: { turn: 0.5, specimen: ladybird },
  fish: { turn: 0.6, specimen: fish },
  flower: { turn: Math.PI, specimen: flower },
  leaf: { turn: 0.5, specimen: leaf },
  starfish: { turn: 0.5, specimen: starfish },
  checkerboard: { turn: Math.PI, specimen: checkerboard },
  shell: { turn: 0.5, specimen: shell },
  bricks: { turn: 0.3, specimen: bricks },
  butterfly: { turn: 0.5, specimen: butterfly },
  mushroom: { turn: 0.4, specimen: mushroom },
  eye: { turn: 0.5, specimen: eye },
  wheel: { turn: Math.PI, specimen: wheel },
  zebra: { turn: Math.PI, specimen: zebra },
  honeycomb: { turn: Math.PI, specimen: honeycomb },
  ball: { turn: Math.PI, specimen: ball },
  tree: { turn: 0.3, specimen: tree },
  snowflake: { turn: Math.PI, specimen: snowflake },
  bee: { turn: 0.5, specimen: bee },
  target: { turn: Math.PI, specimen: target },
  melon: { turn: 0.6, specimen: melon },
};
