/// <reference lib="dom" />
/** What a run in this tab is made of: photos, a network, a layer, and how pictures grow. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { PhotosChoice, RunRequest } from "../../worker/protocol.ts";
import type { TabFeed } from "../feeds/tab.ts";
import { useId } from "../hooks.ts";
import { Once } from "../once.tsx";
import { count, percent } from "../words.ts";
import { Downloads } from "./downloads.tsx";
import { NetworkFields } from "./network_fields.tsx";
import { PhotoFields } from "./photo_fields.tsx";

/** What is asked for, as it stands in the fields. */
interface Wanted {
  readonly layer: string;
  /** `facets`, or the name of a wish, and its value. */
  readonly what: string;
  readonly value: string;
  readonly facets: string;
  readonly preset: string;
  readonly iterations: string;
  readonly size: string;
  readonly seed: string;
  /** Lines `name = value`. */
  readonly parameters: string;
}

const USUAL: Wanted = {
  layer: "",
  what: "facets",
  value: "",
  facets: "3",
  preset: "default",
  iterations: "",
  size: "",
  seed: "0",
  parameters: "",
};

/** The run that is asked for. */
function requestOf(wanted: Wanted, photos: PhotosChoice | undefined): RunRequest {
  const number = (text: string) => text.trim() === "" ? undefined : Number(text);
  const lines = wanted.parameters.split("\n").map((line) => line.split("=")).filter((parts) =>
    parts.length > 1
  );
  const parameters = Object.fromEntries(
    lines.map(([name, ...value]) => [name!.trim(), value.join("=").trim()]),
  );
  const iterations = number(wanted.iterations);
  return {
    photos,
    layer: wanted.layer,
    preset: wanted.preset,
    ...(wanted.what === "facets"
      ? { facets: wanted.facets === "auto" ? "auto" : Number(wanted.facets) }
      : { wishes: { [wanted.what]: wanted.value } }),
    parameters: { ...parameters, ...(iterations === undefined ? {} : { iterations }) },
    size: number(wanted.size),
    seed: number(wanted.seed),
  };
}

/** The panel. */
export function Panel({ feed }: { readonly feed: TabFeed }) {
  const [photos, setPhotos] = useState<PhotosChoice | undefined>({ kind: "drawings" });
  const [wanted, setWanted] = useState(USUAL);
  const details = useRef<HTMLDetailsElement>(null);
  const { hello, opened, busy, failed, ended, kept } = feed;
  const running = busy === "running";
  const change = (change: Partial<Wanted>) => setWanted((now) => ({ ...now, ...change }));
  useEffect(() => {
    if (opened) change({ layer: opened.lastMap });
  }, [opened]);
  useEffect(() => {
    if (feed.runs.length > 0 && details.current) details.current.open = false;
  }, [feed.runs]);

  if (feed.unusable) return <Unusable text={feed.unusable} />;
  if (!hello) return <p role="status">Looking for a graphics adapter …</p>;
  const start = (event: Event) => {
    event.preventDefault();
    feed.run(requestOf(wanted, photos));
  };
  return (
    <>
      {hello.adapter.software && (
        <p class="warning">
          This browser computes WebGPU in software ({hello.adapter.name}): it works, but takes its
          time.
        </p>
      )}
      {kept && (
        <div class="row notice">
          <p>
            A run of your last visit was left at {percent(kept.iteration / kept.total)}:{" "}
            <bdi>{kept.title}</bdi>.
          </p>
          <button type="button" class="main" onClick={() => feed.resume()}>Go on with it</button>
          <button type="button" onClick={() => feed.forget()}>Forget it</button>
        </div>
      )}
      <details class="setup" open ref={details}>
        <summary>Set up a run</summary>
        <form onSubmit={start}>
          <div class="fields">
            <PhotoFields photos={photos} choose={setPhotos} />
            <Once
              of={[opened, busy, wanted.layer]}
              draw={() => (
                <NetworkFields
                  feed={feed}
                  layer={wanted.layer}
                  chooseLayer={(layer) => change({ layer })}
                />
              )}
            />
            <Once
              of={[opened, wanted]}
              draw={() => <GrowFields feed={feed} wanted={wanted} change={change} />}
            />
          </div>
          <p class="row">
            <button type="submit" class="main" disabled={busy !== undefined || !opened}>
              {running ? "A run goes on" : "Grow the pictures"}
            </button>
            <span class="quiet">
              Everything is computed in this tab, on {hello.adapter.name}; nothing is uploaded.
            </span>
          </p>
        </form>
      </details>
      {feed.resumable && (
        <p class="row">
          <button type="button" class="main" onClick={() => feed.resume()}>
            Go on with the run
          </button>
        </p>
      )}
      {failed && (
        <p role="alert" class="warning">
          {failed.text}
          {failed.bug && " (This is a fault of the program; please report it.)"}
        </p>
      )}
      {ended && ended.pictures.length > 0 && <Downloads ended={ended} />}
    </>
  );
}

/** What is to grow, and how. */
function GrowFields({ feed: { hello, opened }, wanted, change }: {
  readonly feed: TabFeed;
  readonly wanted: Wanted;
  readonly change: (change: Partial<Wanted>) => void;
}) {
  const id = useId();
  const wishes = hello!.wishes.filter(({ alone }) => alone);
  const wish = wishes.find(({ name }) => name === wanted.what);
  const preset = hello!.presets[wanted.preset];
  const text = (key: keyof Wanted, label: string, usual: string, more: object = {}) => (
    <p class="field">
      <label for={`${id}-${key}`}>{label}</label>
      <input
        id={`${id}-${key}`}
        type="number"
        value={wanted[key]}
        placeholder={usual}
        {...more}
        onInput={(event) => change({ [key]: event.currentTarget.value })}
      />
    </p>
  );
  return (
    <fieldset class="zone">
      <legend>Pictures</legend>
      <p class="field">
        <label for={`${id}-what`}>Of</label>
        <select
          id={`${id}-what`}
          value={wanted.what}
          onInput={(event) => {
            const what = event.currentTarget.value;
            change({ what, value: "" });
          }}
        >
          <option value="facets">facets of the photos</option>
          {wishes.map(({ name }) => <option key={name} value={name}>{name}</option>)}
        </select>
      </p>
      {wish
        ? (
          <p class="field">
            <label for={`${id}-value`}>Which</label>
            <input
              id={`${id}-value`}
              type="text"
              required
              value={wanted.value}
              placeholder={wish.value}
              aria-describedby={`${id}-wish`}
              onInput={(event) => change({ value: event.currentTarget.value })}
            />
            <small id={`${id}-wish`} class="quiet">{wish.help}</small>
          </p>
        )
        : (
          <p class="field">
            <label for={`${id}-facets`}>How many</label>
            <select
              id={`${id}-facets`}
              value={wanted.facets}
              onInput={(event) => change({ facets: event.currentTarget.value })}
            >
              <option value="auto">as many as there are</option>
              {Array.from(
                { length: 20 },
                (_, i) => <option key={i} value={i + 1}>{count(i + 1, "facet")}</option>,
              )}
            </select>
          </p>
        )}
      <p class="field">
        <label for={`${id}-preset`}>Preset</label>
        <select
          id={`${id}-preset`}
          value={wanted.preset}
          onInput={(event) => change({ preset: event.currentTarget.value })}
        >
          {Object.keys(hello!.presets).map((name) => <option key={name} value={name}>{name}
          </option>)}
        </select>
      </p>
      {text("iterations", "Iterations", String(preset?.iterations ?? ""), { min: 1 })}
      {text("size", "Side in pixels", String(opened?.sizes[wanted.preset] ?? ""), { min: 16 })}
      {text("seed", "Seed", "0", { min: 0 })}
      <details>
        <summary>Other parameters</summary>
        <p class="field">
          <label for={`${id}-parameters`}>One a line, as start_lr = 0.05</label>
          <textarea
            id={`${id}-parameters`}
            rows={4}
            value={wanted.parameters}
            onInput={(event) => change({ parameters: event.currentTarget.value })}
          />
        </p>
        <dl class="parameter-list">
          {hello!.parameters.map(({ name, allowed, help }) => (
            <div key={name}>
              <dt>
                <code>{name}</code> = {String(preset?.[name])}
              </dt>
              <dd class="quiet">{help}; {allowed}</dd>
            </div>
          ))}
        </dl>
      </details>
    </fieldset>
  );
}

/** Where there is no WebGPU. */
function Unusable({ text }: { readonly text: string }) {
  return (
    <section class="notice" role="alert">
      <h2>This browser cannot compute here</h2>
      <p>{text[0]!.toUpperCase() + text.slice(1)}.</p>
      <ul>
        <li>Chrome or Edge from version 113 have WebGPU on Windows, macOS and Android.</li>
        <li>
          On Linux, Chrome has it behind a switch: open{" "}
          <code>chrome://flags/#enable-unsafe-webgpu</code>
          , enable it and start Chrome again.
        </li>
        <li>
          Safari has it from version 26, Firefox from 141 on Windows. This page is made for these,
          too, but was not tried in Safari.
        </li>
        <li>
          Without a browser: <code>mindseye demo</code> on the command line does the same.
        </li>
      </ul>
    </section>
  );
}
