/**
 * Servers for this machine alone: they listen on the loopback address, and answer only to what a page
 * of their own asks. A page from elsewhere that the same browser shows can neither ask nor embed them,
 * nor reach them under a name of its own that leads here (DNS rebinding).
 */
import { UserError } from "../base/errors.ts";

/** The address of this machine that no other reaches. */
const LOOPBACK = "127.0.0.1";

/** What a server answers to a path, which is as it was asked for but without steps up. */
export type Answer = (path: string, request: Request) => Response | Promise<Response>;

/** With every answer. */
const HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Nor is anything packed on its way, which would hold back what is told while it happens.
  "Cache-Control": "no-store, no-transform",
};

/** An answer of a line of text. */
export function reply(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

/**
 * Listens.
 *
 * @param port 0 for one that is free
 * @param signal cuts all connections
 * @throws {UserError} when it cannot be listened on.
 */
export function listen(
  port: number,
  signal: AbortSignal,
  answer: Answer,
): Deno.HttpServer<Deno.NetAddr> {
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname: LOOPBACK,
      port,
      signal,
      onListen() {},
      onError: () => reply(500, "it went wrong"),
    }, async (request) => {
      const response = refusal(request, server.addr.port) ??
        await answer(new URL(request.url).pathname, request);
      for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
      return response;
    });
  } catch (error) {
    const { AddrInUse, PermissionDenied } = Deno.errors;
    if (!(error instanceof AddrInUse || error instanceof PermissionDenied)) throw error;
    throw new UserError(`port ${port} cannot be listened on (${error.message}); name another one`);
  }
  return server;
}

/** Why a request is not answered: it was not meant for this server, or is not from a page of its own. */
function refusal({ headers }: Request, port: number): Response | undefined {
  const own = [LOOPBACK, "localhost"].flatMap((name) => port === 80 ? [name] : [`${name}:${port}`]);
  const host = headers.get("host");
  if (host === null || !own.includes(host)) return reply(403, "not asked for by its own address");
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${host}`) return reply(403, "asked by another page");
}
