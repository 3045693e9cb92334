/// <reference lib="dom" />
/** Which network is looked into, and where in it. */
import { useState } from "preact/hooks";
import type { TabFeed } from "../feeds/tab.ts";
import { useId } from "../hooks.ts";
import { count } from "../words.ts";
import { DropZone } from "./drop_zone.tsx";
import { chosenFiles } from "./files.ts";

/** The fields. */
export function NetworkFields({ feed, layer, chooseLayer }: {
  readonly feed: TabFeed;
  readonly layer: string;
  readonly chooseLayer: (layer: string) => void;
}) {
  const id = useId();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [name, setName] = useState("");
  const [normalize, setNormalize] = useState("");
  const { hello, opened, busy } = feed;
  const open = (files: readonly File[], name: string, normalize: string) => {
    setFiles(files);
    if (files.length === 0) return;
    feed.open({
      kind: "files",
      files,
      name: name || undefined,
      normalize: normalize.trim() || undefined,
    });
  };
  return (
    <DropZone title="Network" take={({ files }) => open(files, name, normalize)}>
      <label class="choice">
        <input
          type="radio"
          name={`${id}-network`}
          checked={files.length === 0}
          onInput={() => {
            setFiles([]);
            feed.open({ kind: "builtin" });
          }}
        />
        motifs, which comes with the program
      </label>
      <label class="choice">
        <input
          type="radio"
          name={`${id}-network`}
          checked={files.length > 0}
          disabled={files.length === 0}
        />
        {files.length > 0 ? files.map((file) => file.name).join(", ") : "one of your own"}
      </label>
      <p class="field">
        <label for={`${id}-files`}>Choose a file</label>
        <input
          id={`${id}-files`}
          type="file"
          multiple
          onChange={(event) => open(chosenFiles(event.currentTarget.files).files, name, normalize)}
        />
      </p>
      <p class="quiet">
        or drop it here: safetensors, a PyTorch checkpoint, or ONNX with the files of its weights.
      </p>
      <details>
        <summary>Where the file does not say enough</summary>
        <p class="field">
          <label for={`${id}-name`}>Network</label>
          <select
            id={`${id}-name`}
            value={name}
            onInput={(event) => {
              setName(event.currentTarget.value);
              open(files, event.currentTarget.value, normalize);
            }}
          >
            <option value="">as the weights say</option>
            {hello!.networks.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </p>
        <p class="field">
          <label for={`${id}-normalize`}>Normalisation</label>
          <input
            id={`${id}-normalize`}
            type="text"
            value={normalize}
            placeholder="imagenet, half, 0.5/0.5 …"
            onChange={(event) => {
              setNormalize(event.currentTarget.value);
              open(files, name, event.currentTarget.value);
            }}
          />
        </p>
      </details>
      <p role="status" class="quiet">
        {busy === "opening"
          ? "Opening the network …"
          : opened
          ? `${opened.name}: ${count(opened.parameters, "parameter")}, ${
            count(opened.layers.length, "layer")
          }`
          : ""}
      </p>
      <p class="field">
        <label for={`${id}-layer`}>Layer</label>
        <select
          id={`${id}-layer`}
          value={layer}
          disabled={!opened}
          onInput={(event) => chooseLayer(event.currentTarget.value)}
        >
          {(opened?.layers ?? []).map(({ name, type, shape }) => (
            <option key={name} value={name}>
              {`${name} (${type}${shape ? `, ${shape.join(" × ")}` : ""})`}
            </option>
          ))}
        </select>
      </p>
      {opened?.stopped && <p class="warning">{opened.stopped}</p>}
    </DropZone>
  );
}
