/// <reference lib="dom" />
/** The map of a folder: moved and enlarged by hand, wheel, buttons and keys. */
// @ts-types="npm:@types/d3-selection@3.0.11"
import { select } from "d3-selection";
// @ts-types="npm:@types/d3-zoom@3.0.8"
import { zoom, type ZoomBehavior, zoomIdentity } from "d3-zoom";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { SCREEN } from "../colours.ts";
import { MapDrawing, MapSheet, PHOTO, placesOf } from "../drawings/map_drawing.tsx";
import { nearest, next, type Point, seen, type View, WHOLE } from "../drawings/plane.ts";
import { useId, usePrinting, useWidth } from "../hooks.ts";
import { bestOf, count } from "../words.ts";
import { Badge, Photo } from "./picture_card.tsx";
import { SaveButtons } from "./save_buttons.tsx";

/** Enlarged at most so many times, and by a button so many. */
const MOST = 64;
const STEP = 1.6;

/** Pixels from a dot within which it is meant. */
const REACH = 14;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The map, with its legend. */
export function FolderMap({ run, only, look }: {
  readonly run: RunView;
  readonly only: number | undefined;
  readonly look: (facet: number | undefined) => void;
}) {
  const facets = run.facets!;
  const { labels, sizes } = facets;
  const [withPhotos, setWithPhotos] = useState(true);
  const hasPhotos = [...run.photos.values()].some(({ thumbnail }) => thumbnail);
  return (
    <section aria-labelledby="map">
      <div class="heading">
        <h2 id="map">Map of the folder</h2>
        <SaveButtons
          what="map"
          title={`${run.head.title} map`}
          draw={(ink) => <MapSheet {...{ run, withPhotos, ink }} />}
        />
      </div>
      <p class="quiet">
        {count(labels.length, "photo")}; those that the layer answers alike lie together.
      </p>
      <div class="map">
        <Sheet {...{ run, only, look, withPhotos, facets }} />
        <div class="legend">
          <ul>
            {sizes.map((size, facet) => {
              const picture = run.pictures[facet];
              const image = picture && bestOf(picture);
              return (
                <li key={facet}>
                  <button
                    type="button"
                    aria-pressed={only === facet}
                    onClick={() => look(only === facet ? undefined : facet)}
                  >
                    <Badge run={run} picture={facet} />
                    {image && <img src={image} alt="" />}
                    <span>
                      <bdi>{picture?.name ?? `facet ${facet + 1}`}</bdi>{" "}
                      <span class="quiet">{count(size, "photo")}</span>
                    </span>
                  </button>
                </li>
              );
            })}
          </ul>
          {only !== undefined && (
            <button
              type="button"
              class="small"
              onClick={() => look(undefined)}
            >
              Show all facets
            </button>
          )}
          {hasPhotos && (
            <label class="row">
              <input
                type="checkbox"
                checked={withPhotos}
                onInput={(event) => setWithPhotos(event.currentTarget.checked)}
              />
              photos where there is room
            </label>
          )}
        </div>
      </div>
    </section>
  );
}

/** The sheet itself. */
function Sheet({ run, only, look, withPhotos }: {
  readonly run: RunView;
  readonly only: number | undefined;
  readonly look: (facet: number | undefined) => void;
  readonly withPhotos: boolean;
}) {
  const facets = run.facets!;
  const [element, width] = useWidth<HTMLDivElement>();
  const size: Point = [width, Math.round(Math.max(320, Math.min(680, 0.72 * width)))];
  const places = useMemo(() => placesOf(run, size), [facets, width]);
  const [view, setView] = useState<View>(WHOLE);
  const [at, setAt] = useState<number | undefined>();
  const id = useId();
  const counts = (i: number) => only === undefined || facets.labels[i] === only;
  const behaviour = useRef<ZoomBehavior<HTMLDivElement, unknown>>();
  const enlarged = useRef(false);
  enlarged.current = view.k > 1;

  useEffect(() => {
    const box = element.current!;
    behaviour.current = zoom<HTMLDivElement, unknown>()
      .scaleExtent([1, MOST])
      // The wheel scrolls the page until the map was chosen, and one finger until it is enlarged.
      .filter((event: Event) =>
        event instanceof WheelEvent
          ? event.ctrlKey || event.metaKey || box.contains(document.activeElement)
          : event.type.startsWith("touch")
          ? enlarged.current || (event as TouchEvent).touches.length > 1
          : !(event as MouseEvent).button && event.type !== "dblclick"
      )
      .on("zoom", ({ transform: { k, x, y } }) => setView({ k, x, y }));
    const selection = select(box).call(behaviour.current);
    return () => {
      selection.on(".zoom", null);
    };
  }, []);
  useEffect(() => {
    if (width === 0) return;
    behaviour.current!.extent([[0, 0], [...size]]).translateExtent([[0, 0], [...size]]);
    whole();
  }, [width]);

  const sheet = () => select(element.current!);
  const scale = (by: number) => {
    const centre = at === undefined ? undefined : seen(places.photos[at]!, view);
    behaviour.current!.scaleBy(sheet(), by, centre && [...centre]);
  };
  const whole = () => behaviour.current!.transform(sheet(), zoomIdentity);
  usePrinting(whole);

  const move = (event: PointerEvent) => {
    if (event.pointerType === "touch" || event.buttons) return;
    setAt(found(event));
  };
  const found = (event: MouseEvent) => {
    const box = element.current!.getBoundingClientRect();
    const point: Point = [event.clientX - box.left, event.clientY - box.top];
    const onSheet: Point = [(point[0] - view.x) / view.k, (point[1] - view.y) / view.k];
    return nearest(places.photos, onSheet, REACH / view.k, counts) ??
      nearest(
        places.photos,
        onSheet,
        PHOTO / 2 / view.k,
        (i) => withPhotos && counts(i) && !!run.photos.get(i)?.thumbnail,
      );
  };
  const pick = (photo: number | undefined) => {
    setAt(photo);
    const facet = photo === undefined ? undefined : facets.labels[photo];
    look(facet === only ? undefined : facet);
  };
  const key = (event: KeyboardEvent) => {
    if (event.target !== element.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const to = at === undefined
        ? nearest(places.photos, [size[0] / 2, size[1] / 2], Infinity, counts)
        : next(places.photos, at, arrow, counts);
      if (to !== undefined) {
        setAt(to);
        const [x, y] = seen(places.photos[to]!, view);
        if (x < 0 || y < 0 || x > size[0] || y > size[1]) {
          behaviour.current!.translateTo(sheet(), ...places.photos[to]! as [number, number]);
        }
      }
    } else if (event.key === "+" || event.key === "=") scale(STEP);
    else if (event.key === "-") scale(1 / STEP);
    else if (event.key === "0") whole();
    else if (event.key === "Enter" || event.key === " ") {
      if (at === undefined) return;
      pick(at);
    } else if (event.key === "Escape") {
      setAt(undefined);
      look(undefined);
    } else return;
    event.preventDefault();
  };
  return (
    <div class="sheet">
      <div
        ref={element}
        class={view.k > 1 ? "plane enlarged" : "plane"}
        tabIndex={0}
        role="application"
        aria-label="Map"
        aria-describedby={`${id}-how`}
        onPointerMove={move}
        onPointerLeave={() => setAt(undefined)}
        onClick={(event) => pick(found(event))}
        onKeyDown={key}
        onBlur={() => setAt(undefined)}
      >
        {width > 0 && (
          <svg width={size[0]} height={size[1]} aria-hidden="true">
            <MapDrawing {...{ run, places, size, view, only, at, withPhotos, ink: SCREEN }} />
          </svg>
        )}
        {at !== undefined && (
          <Peek {...{ run, image: at, size, point: seen(places.photos[at]!, view) }} />
        )}
      </div>
      <div class="zoom">
        <button type="button" aria-label="Enlarge the map" onClick={() => scale(STEP)}>+</button>
        <button type="button" aria-label="Reduce the map" onClick={() => scale(1 / STEP)}>−</button>
        <button type="button" disabled={view.k === 1} onClick={whole}>Whole map</button>
      </div>
      <p id={`${id}-how`} class="quiet how">
        Arrow keys go from photo to photo, Enter shows its facet alone, + and − enlarge and reduce,
        0 shows the whole map. Click a photo for its facet; scroll or pinch on the map to enlarge
        it.
      </p>
      <p class="hidden" role="status">
        {at === undefined
          ? only === undefined ? "" : `only facet ${only + 1} is shown`
          : `${run.photos.get(at)?.name ?? ""}, facet ${facets.labels[at]! + 1}`}
      </p>
    </div>
  );
}

/** A photo that is pointed at, with its name. */
function Peek({ run, image, size, point: [x, y] }: {
  readonly run: RunView;
  readonly image: number;
  readonly size: Point;
  readonly point: Point;
}) {
  const facet = run.facets!.labels[image]!;
  const [left, above] = [x > size[0] / 2, y > size[1] / 2];
  return (
    <figure
      class="peek"
      style={{
        ...(left ? { right: `${size[0] - x + 16}px` } : { left: `${x + 16}px` }),
        ...(above ? { bottom: `${size[1] - y + 8}px` } : { top: `${y + 8}px` }),
      }}
    >
      <Photo run={run} image={image} />
      <figcaption>
        <bdi>{run.photos.get(image)?.name}</bdi>
        <span class="row">
          <Badge run={run} picture={facet} /> facet {facet + 1}
        </span>
      </figcaption>
    </figure>
  );
}
