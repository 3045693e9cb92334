/** All pictures of a layer, a few at a time. */
/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { piece, type SiteIndex, type SiteRun } from "../../atlas/site.ts";
import { usePiece } from "./pieces.ts";
import { RunPictures } from "./run_pictures.tsx";

/** Runs that are added at a time. */
const STEP = 60;

/** A layer. */
export function LayerPage({ index, network, layer, wanted }: {
  index: SiteIndex;
  network: number;
  layer: number;
  wanted: string;
}) {
  const runs = usePiece<readonly SiteRun[]>(piece.layer(network, layer));
  const [shown, setShown] = useState(STEP);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => entry!.isIntersecting && setShown((before) => before + STEP),
      { rootMargin: "600px" },
    );
    if (end.current) observer.observe(end.current);
    return () => observer.disconnect();
  }, [runs, shown]);
  const { name, layers } = index.networks[network]!;
  const fits = (title: string) =>
    wanted === "" || title === wanted || title.startsWith(`${wanted},`);
  const some = (runs ?? []).filter((run) =>
    wanted === "" || run.pictures.some(({ title }) => fits(title))
  );
  return (
    <>
      <h1>{name} {layers[layer]!.name}</h1>
      {wanted !== "" && (
        <p>
          {some.length === 0 && runs ? `Nothing here is called ${wanted}. ` : `${wanted} only. `}
          <a href={`#/layer/${network}/${layer}`}>Show all</a>
        </p>
      )}
      <div class="atlas-runs">
        {some.slice(0, shown).map((run) => (
          <RunPictures key={run.name} index={index} run={run} of="folder" fits={fits} />
        ))}
      </div>
      {shown < some.length && <div ref={end} class="quiet">more follow</div>}
    </>
  );
}
