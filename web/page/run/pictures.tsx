/// <reference lib="dom" />
/** The pictures of a run: a card for each, or a wall of them where they are many. */
import { useRef, useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { ContactSheet } from "../drawings/contact_sheet.tsx";
import { count } from "../words.ts";
import { Film, frameAt, iterationsOf } from "./film.tsx";
import { PictureCard } from "./picture_card.tsx";
import { SaveButtons } from "./save_buttons.tsx";

/** More than these get a wall, as the record has no film of more either. */
const MANY = 24;

/** The pictures. */
export function Pictures({ run, only, look }: {
  readonly run: RunView;
  readonly only: number | undefined;
  readonly look: ((facet: number | undefined) => void) | undefined;
}) {
  const [at, show] = useState<number | undefined>();
  if (run.pictures.length === 0) return null;
  const many = run.pictures.length > MANY;
  return (
    <section aria-labelledby="pictures">
      <div class="heading">
        <h2 id="pictures">{count(run.pictures.length, "picture")}</h2>
        <SaveButtons
          what="contact sheet"
          title={`${run.head.title} pictures`}
          draw={(ink) => <ContactSheet run={run} ink={ink} />}
        />
      </div>
      {many ? <Wall run={run} /> : (
        <>
          <Film iterations={iterationsOf(run)} at={at} show={show} />
          <div class="cards">
            {run.pictures.map((picture, i) => (
              <PictureCard
                key={i}
                {...{ run, picture: i, image: frameAt(picture, at), only, look }}
              />
            ))}
          </div>
        </>
      )}
    </section>
  );
}

/** Many pictures, small, each of which can be looked at. */
function Wall({ run }: { readonly run: RunView }) {
  const [wanted, setWanted] = useState("");
  const [chosen, choose] = useState<number | undefined>();
  const dialog = useRef<HTMLDialogElement>(null);
  const words = wanted.toLowerCase().split(/\s+/);
  const found = [...run.pictures.keys()].filter((i) =>
    words.every((word) => run.pictures[i]!.name.toLowerCase().includes(word))
  );
  const step = (by: number) => {
    const at = found.indexOf(chosen!);
    choose(found[(at + by + found.length) % found.length]);
  };
  return (
    <>
      <p class="row">
        <label>
          Find{" "}
          <input
            type="search"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </label>
        <span class="quiet" role="status">{count(found.length, "picture")}</span>
      </p>
      <ul class="tiles">
        {found.map((i) => {
          const picture = run.pictures[i]!;
          const image = frameAt(picture, undefined);
          return (
            <li key={i}>
              <button
                type="button"
                onClick={() => {
                  choose(i);
                  dialog.current!.showModal();
                }}
              >
                {image ? <img src={image} alt="" decoding="async" /> : <span class="blank" />}
                <bdi>{picture.name}</bdi>
              </button>
            </li>
          );
        })}
      </ul>
      <dialog ref={dialog} aria-label="One picture" onClose={() => choose(undefined)}>
        {chosen !== undefined && (
          <>
            <PictureCard run={run} picture={chosen} heading="h2" />
            <p class="row">
              <button type="button" onClick={() => step(-1)}>Previous</button>
              <button type="button" onClick={() => step(1)}>Next</button>
              <button type="button" onClick={() => dialog.current!.close()}>Close</button>
            </p>
          </>
        )}
      </dialog>
    </>
  );
}
