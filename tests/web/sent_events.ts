/** Server-sent events as a browser reads them. */

/** An event. */
export interface SentEvent {
  readonly event: string;
  readonly data: string;
  /** The last id that was sent. */
  readonly id: string;
}

/** Asks for events, and gives them one after the other; who stops asking drops the connection. */
export async function* sentEvents(address: string, last?: string): AsyncGenerator<SentEvent> {
  const headers = last === undefined ? {} : { "Last-Event-ID": last };
  const response = await fetch(address, { headers });
  let text = "";
  let id = last ?? "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        const [, name = "", value = ""] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
        fields.set(name, value);
      }
      id = fields.get("id") ?? id;
      const data = fields.get("data");
      if (data !== undefined) yield { event: fields.get("event") ?? "message", data, id };
    }
  }
}

/** The events up to the first for which something is so. */
export async function eventsUntil(
  events: AsyncIterable<SentEvent>,
  last: (event: SentEvent) => boolean,
): Promise<SentEvent[]> {
  const taken: SentEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (last(event)) break;
  }
  return taken;
}

/** The lines of a run's record in events, their ends included. */
export function linesOf(events: readonly SentEvent[], run: number): string {
  const begin = `${run} `;
  return events.filter(({ event, data }) => event === "message" && data.startsWith(begin))
    .map(({ data }) => data.slice(begin.length) + "\n").join("");
}
