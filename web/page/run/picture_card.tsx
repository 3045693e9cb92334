/// <reference lib="dom" />
/** A picture beside the photos it stands for, and what is known of it. */
import { useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { isHollow, SCREEN } from "../colours.ts";
import { bestOf, factsOf, photosOf } from "../words.ts";

/** Photos and channels that are shown at once. */
const PHOTOS = 10;
const CHANNELS = 12;

/** A photo, with its name. */
export function Photo({ run, image }: { readonly run: RunView; readonly image: number }) {
  const photo = run.photos.get(image);
  const name = photo?.name ?? `photo ${image + 1}`;
  return photo?.thumbnail
    ? <img src={photo.thumbnail} alt={name} title={name} decoding="async" />
    : <span class="unseen" title={name}>{name}</span>;
}

/** A mark in a picture's colour; that of a facet has its number. */
export function Badge({ run, picture }: { readonly run: RunView; readonly picture: number }) {
  return (
    <span
      class={isHollow(picture) ? "badge hollow" : "badge"}
      style={{ background: SCREEN.colour(picture), color: SCREEN.on(picture) }}
      aria-hidden="true"
    >
      {run.facets && picture + 1}
    </span>
  );
}

/** All that is known of a picture. */
export function PictureCard({ run, picture, image, heading: Heading = "h3", only, look }: {
  readonly run: RunView;
  readonly picture: number;
  /** How it looks; as it is at the end if nothing is said. */
  readonly image?: string | undefined;
  readonly heading?: "h2" | "h3";
  /** The facet that is looked at, and how to look at another. */
  readonly only?: number | undefined;
  readonly look?: ((facet: number | undefined) => void) | undefined;
}) {
  const { name, photos, stopped } = run.pictures[picture]!;
  const shown = image ?? bestOf(run.pictures[picture]!);
  const size = photosOf(run, picture);
  const channels = run.facets?.targets[picture]?.channels ?? [];
  const all = run.facets
    ? [...run.facets.labels.keys()].filter((i) => run.facets!.labels[i] === picture)
    : photos.map(({ image }) => image);
  const first = photos.slice(0, PHOTOS);
  return (
    <article class="card" aria-label={name}>
      <header>
        <Badge run={run} picture={picture} />
        <Heading>
          <bdi>{name}</bdi>
        </Heading>
        {size && <span class="quiet">{size}</span>}
        {look && (
          <button
            type="button"
            class="small"
            aria-pressed={only === picture}
            onClick={() => look(only === picture ? undefined : picture)}
          >
            On the map
          </button>
        )}
      </header>
      <div class={first.length > 0 ? "sides" : undefined}>
        <figure class="picture">
          {shown
            ? <img src={shown} alt={`What the layer looks for: the picture of ${name}`} />
            : <div class="blank" role="img" aria-label={`${name}: no picture yet`} />}
          <figcaption>Picture</figcaption>
        </figure>
        {first.length > 0 && (
          <figure class="photos">
            <ul>
              {first.map(({ image }) => (
                <li key={image}>
                  <Photo run={run} image={image} />
                </li>
              ))}
            </ul>
            <figcaption>{run.facets ? "Its photos" : "Photos it answers to"}</figcaption>
          </figure>
        )}
      </div>
      {stopped && <p class="warning">Stopped before its time: {stopped}</p>}
      <dl class="facts">
        {factsOf(run, picture).map(({ name, help, from, to, meaning }) => (
          <div key={name}>
            <dt title={help}>{name}</dt>
            <dd>
              <span class="quiet">{from} →</span> <strong>{to ?? "…"}</strong>{" "}
              <span class="quiet">{meaning}</span>
            </dd>
          </div>
        ))}
        {channels.length > 0 && (
          <div>
            <dt title="The channels of the layer that its photos drive most, the numbers from 0">
              Top channels
            </dt>
            <dd>
              {channels.slice(0, CHANNELS).join(", ")}
              {channels.length > CHANNELS && (
                <details class="inline">
                  <summary>and {channels.length - CHANNELS} more</summary>
                  {channels.slice(CHANNELS).join(", ")}
                </details>
              )}
            </dd>
          </div>
        )}
      </dl>
      {all.length > first.length && <AllPhotos run={run} images={all} />}
    </article>
  );
}

/** All photos of a facet; there are none of them on the page until they are asked for. */
function AllPhotos({ run, images }: { readonly run: RunView; readonly images: readonly number[] }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="all" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All {images.length} photos</summary>
      {open && (
        <ul class="wall">
          {images.map((image) => (
            <li key={image}>
              <Photo run={run} image={image} />
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}
