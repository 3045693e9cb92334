/// <reference lib="dom" />
/** Files that a person drops on the page, those in folders too. */

/** Some files, and what the folder they come from is called. */
export interface Dropped {
  readonly files: readonly File[];
  readonly folder: string;
}

/** Files that were chosen in a dialog. */
export function chosenFiles(list: FileList | null): Dropped {
  const files = [...list ?? []];
  const folder = files[0]?.webkitRelativePath.split("/")[0];
  return { files, folder: folder || "photos" };
}

/** Files that were dropped. */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped> {
  // They must all be taken before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((e) =>
    e !== null
  );
  const files: File[] = [];
  for (const entry of entries) await collect(entry, files);
  const folder = entries.length === 1 && entries[0]!.isDirectory ? entries[0]!.name : "photos";
  return { files, folder };
}

async function collect(entry: FileSystemEntry, files: File[]): Promise<void> {
  if (entry.isFile) {
    files.push(await new Promise((done, fail) => (entry as FileSystemFileEntry).file(done, fail)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives some at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((done, fail) =>
      reader.readEntries(done, fail)
    );
    if (some.length === 0) return;
    for (const each of some) await collect(each, files);
  }
}
