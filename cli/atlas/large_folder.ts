/**
 * A folder of photos that layers have looked at part by part. No more than one part of what they answered
 * is held at a time, and of the photos those that are needed: see docs/atlas.md.
 */
import { join } from "node:path";
import { appendSync, writeWholeSync } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import type { Member } from "../../vis/facets/targets.ts";
import { findStreamedFacets, type Rows } from "../../vis/facets/streamed.ts";
import { ActivationCache } from "../../vis/photos/activation_cache.ts";
import { cacheKey, storedImage } from "../../vis/photos/look.ts";
import type { StoredImage } from "../../vis/photos/images.ts";
import type { LargeFolder, LargeQuestion } from "../shared/sharing.ts";

/** What a look leaves beside its answers. */
interface Seen {
  /** Name and SHA-256 of each photo's file, in order. */
  readonly photos: readonly (readonly [name: string, hash: string])[];
}

const SEEN = "photos.json";

/** Writes down which photos were looked at. */
export function keepSeen(store: string, names: readonly string[], hashes: readonly string[]): void {
  const photos = names.map((name, i): [string, string] => [name, hashes[i]!]);
  writeWholeSync(join(store, SEEN), JSON.stringify({ photos } satisfies Seen));
}

function readSeen(store: string): Seen {
  try {
    return JSON.parse(Deno.readTextFileSync(join(store, SEEN)));
  } catch (error) {
    throw new UserError(`${store} is damaged: ${(error as Error).message}; ${AGAIN}`);
  }
}

const AGAIN = "plan the atlas into another folder, so that its photos are looked at again";

/** The parts of a folder, as looks kept them. */
export class KeptFolder implements LargeFolder {
  readonly #photos: string;
  readonly #stores: readonly string[];
  /** Photos of each part. */
  readonly #counts: readonly number[];

  /**
   * @param photos the folder of the photos
   * @param stores of its parts, in order
   */
  constructor(photos: string, stores: readonly string[]) {
    this.#photos = photos;
    this.#stores = stores;
    this.#counts = stores.map((store) => readSeen(store).photos.length);
  }

  /** What a layer answered. */
  #rows({ trunk, weights, size, prepared }: LargeQuestion): Rows {
    const { channels, target: layer, model } = trunk;
    const key = { ...cacheKey(model, weights, size, prepared), layer, channels };
    const stores = this.#stores;
    return {
      n: this.#counts.reduce((sum, count) => sum + count, 0),
      channels,
      *pieces() {
        for (const store of stores) {
          const { photos } = readSeen(store);
          const cache = new ActivationCache(store, key);
          const piece = new Float32Array(photos.length * channels);
          for (const [i, [name, hash]] of photos.entries()) {
            const row = cache.get(hash);
            if (!row) {
              throw new UserError(`${store} lacks what ${layer} answered to ${name}; ${AGAIN}`);
            }
            piece.set(row, i * channels);
          }
          yield piece;
        }
      },
    };
  }

  /** Some photos by their numbers, in rising order. */
  #images(numbers: readonly number[], size: number): StoredImage[] {
    const images: StoredImage[] = [];
    let [first, next] = [0, 0];
    for (const [part, count] of this.#counts.entries()) {
      if (numbers[next] !== undefined && numbers[next]! < first + count) {
        const { photos } = readSeen(this.#stores[part]!);
        for (; next < numbers.length && numbers[next]! < first + count; next++) {
          const [name] = photos[numbers[next]! - first]!;
          images.push(storedImage(join(this.#photos, name), size));
        }
      }
      first += count;
    }
    return images;
  }

  async facets(
    question: LargeQuestion,
    { out, ...how }: Parameters<LargeFolder["facets"]>[1],
  ): ReturnType<LargeFolder["facets"]> {
    const { choose, nearest } = question.parameters;
    using table = new Table(join(out, "photos.csv"), "photo,facet,place");
    const { sample, analysis, sizes, members, mean } = await findStreamedFacets(
      this.#rows(question),
      {
        ...how,
        choose,
        nearest,
        each: (image, facet, place) =>
          table.add(`${image + 1},${facet + 1},${place.map((x) => x.toPrecision(6)).join(" ")}`),
      },
    );
    table.finish();
    // The run is about the photos that were grouped and those of the targets.
    const chosen = new Map(members.flat().map((member) => [member.image, member]));
    const numbers = [...new Set([...sample, ...chosen.keys()])].sort((a, b) => a - b);
    const { facets } = analysis;
    const dimensions = facets.embedding.length / sample.length;
    const at = new Map(sample.map((image, i) => [image, i]));
    const embedding = new Float64Array(numbers.length * dimensions);
    const labels = new Int32Array(numbers.length);
    numbers.forEach((image, i) => {
      const known = at.get(image);
      const place = known === undefined
        ? chosen.get(image)!.place
        : facets.embedding.subarray(known * dimensions, (known + 1) * dimensions);
      embedding.set(place, i * dimensions);
      labels[i] = known === undefined ? chosen.get(image)!.facet : facets.labels[known]!;
    });
    const place = new Map(numbers.map((image, i) => [image, i]));
    return {
      images: this.#images(numbers, question.size),
      found: {
        analysis: { ...analysis, facets: { ...facets, embedding, labels, sizes } },
        members: members.map((some) =>
          some.map((member): Member => ({ ...member, image: place.get(member.image)! }))
        ),
        mean,
      },
    };
  }

  best(
    question: LargeQuestion,
    channels: readonly number[],
  ): ReturnType<LargeFolder["best"]> {
    const rows = this.#rows(question);
    // Several pictures of one channel take its photos in turns.
    const most = question.parameters.nearest * channels.length;
    const best = new Map([...new Set(channels)].map((channel) => [
      channel,
      [] as { image: number; answer: number; row: Float32Array }[],
    ]));
    let image = 0;
    for (const piece of rows.pieces()) {
      for (let i = 0; i < piece.length / rows.channels; i++, image++) {
        for (const [channel, list] of best) {
          const answer = piece[i * rows.channels + channel]!;
          if (list.length === most && answer <= list.at(-1)!.answer) continue;
          const at = list.findIndex((other) => answer > other.answer);
          const row = Float32Array.from(channels, (each) => piece[i * rows.channels + each]!);
          list.splice(at < 0 ? list.length : at, 0, { image, answer, row });
          list.length = Math.min(list.length, most);
        }
      }
    }
    const chosen = new Map([...best.values()].flat().map(({ image, row }) => [image, row]));
    const numbers = [...chosen.keys()].sort((a, b) => a - b);
    const answers = new Float32Array(numbers.length * channels.length);
    numbers.forEach((number, i) => answers.set(chosen.get(number)!, i * channels.length));
    return Promise.resolve({ images: this.#images(numbers, question.size), answers });
  }
}

/** Characters that are written at a time. */
const CHUNK = 2 ** 16;

/** A table that is written line by line, and there when it is whole. */
class Table implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #text: string;

  constructor(path: string, head: string) {
    this.#path = path;
    this.#file = Deno.openSync(`${path}.part`, { write: true, create: true, truncate: true });
    this.#text = `${head}\n`;
  }

  add(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length > CHUNK) this.#flush();
  }

  #flush(): void {
    appendSync(this.#file, new TextEncoder().encode(this.#text));
    this.#text = "";
  }

  finish(): void {
    this.#flush();
    Deno.renameSync(`${this.#path}.part`, this.#path);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
