/** An atlas: what there is, one layer, one folder, by the address's part after `#`. */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { piece, type SiteIndex } from "../../atlas/site.ts";
import { FolderPage } from "./folder_page.tsx";
import { LayerPage } from "./layer_page.tsx";
import { OpenPicture } from "./neighbours.tsx";
import { Overview } from "./overview.tsx";
import { type OpenedPicture, PictureDialog } from "./picture_dialog.tsx";
import { usePiece } from "./pieces.ts";

/** Where the visitor is: `#/layer/0/3?channel 12`. */
function useRoute(): { parts: string[]; wanted: string } {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const [path = "", wanted = ""] = hash.replace(/^#\//, "").split("?");
  return { parts: path.split("/"), wanted: decodeURIComponent(wanted) };
}

/** The page. */
export function AtlasPage() {
  const index = usePiece<SiteIndex>(piece.index);
  const { parts: [kind, a, b], wanted } = useRoute();
  const [opened, setOpened] = useState<OpenedPicture>();
  // A link of the picture leads to another page.
  useEffect(() => setOpened(undefined), [kind, a, b, wanted]);
  if (!index) return null;
  const [first, second] = [Number(a), Number(b)];
  return (
    <OpenPicture.Provider value={(run, picture) => setOpened({ run, picture })}>
      <header class="atlas-head">
        <a href="#/">{index.title}</a>
        <Search index={index} key={wanted} wanted={wanted} />
      </header>
      <main>
        {kind === "layer" && index.networks[first]?.layers[second]
          ? (
            <LayerPage
              index={index}
              network={first}
              layer={second}
              wanted={wanted}
              key={`${a} ${b}`}
            />
          )
          : kind === "folder" && index.folders[first]
          ? <FolderPage index={index} folder={first} key={a} />
          : <Overview index={index} />}
      </main>
      {opened && <PictureDialog index={index} opened={opened} close={() => setOpened(undefined)} />}
    </OpenPicture.Provider>
  );
}

/** Folders, layers and channels, by a part of their names. */
function Search({ index, wanted }: { index: SiteIndex; wanted: string }) {
  const [text, setText] = useState(wanted);
  const found = text.trim() === "" || text === wanted ? [] : find(index, text.trim());
  return (
    <div class="atlas-search">
      <input
        type="search"
        placeholder="Folder, layer or channel"
        aria-label="Search folders, layers and channels"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {found.length > 0 && (
        <ul>
          {found.map(({ href, name }) => (
            <li key={href}>
              <a href={href} onClick={() => setText("")}>{name}</a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Finds that are listed. */
const MOST_FOUND = 12;

function find(index: SiteIndex, text: string): { href: string; name: string }[] {
  const wanted = text.toLowerCase();
  const channel = /^(?:channel )?(\d+)$/.exec(wanted)?.[1];
  const layers = index.networks.flatMap(({ name, layers }, n) =>
    layers.map((layer, l) => ({ n, l, name: `${name} ${layer.name}`, layer }))
  );
  const found = [
    ...layers.filter(({ layer }) => channel !== undefined && Number(channel) < layer.channels)
      .map(({ n, l, name }) => {
        const query = `channel ${channel}`;
        return {
          href: `#/layer/${n}/${l}?${encodeURIComponent(query)}`,
          name: `${query} in ${name}`,
        };
      }),
    ...index.folders.flatMap(({ name }, i) =>
      name.toLowerCase().includes(wanted)
        ? [{ href: `#/folder/${i}`, name: `${name} (folder)` }]
        : []
    ),
    ...layers.filter(({ name }) => name.toLowerCase().includes(wanted))
      .map(({ n, l, name }) => ({ href: `#/layer/${n}/${l}`, name })),
  ];
  return found.slice(0, MOST_FOUND);
}
