/** All of a run. */
import { useState } from "preact/hooks";
import type { RunView } from "../../state/run_view.ts";
import { Once } from "../once.tsx";
import { About } from "./about.tsx";
import { Curves } from "./curves.tsx";
import { FolderMap } from "./map.tsx";
import { ParametersTable } from "./parameters.tsx";
import { Pictures } from "./pictures.tsx";
import { Progress } from "./progress.tsx";
import { Verdict } from "./verdict.tsx";

/** All of it; which facet is looked at is the same everywhere. */
export function Run({ run, stop }: {
  readonly run: RunView;
  readonly stop?: (() => Promise<void>) | undefined;
}) {
  const [only, look] = useState<number | undefined>();
  const map = run.facets !== undefined && run.facets.embedding.length > 0;
  return (
    <>
      <Progress key={String(run.running)} run={run} stop={run.running ? stop : undefined} />
      <Once of={[run.facets]} draw={() => <Verdict run={run} />} />
      <Pictures run={run} only={only} look={map ? look : undefined} />
      <div class="pair">
        {map && (
          <Once
            of={[run.facets, run.photos.size, run.pictures, only]}
            draw={() => <FolderMap run={run} only={only} look={look} />}
          />
        )}
        <Curves run={run} only={only} />
      </div>
      <Once of={[run.head]} draw={() => <ParametersTable run={run} />} />
      <About run={run} />
    </>
  );
}
