import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { isKarstError, type Positions, type ReadFrom, type ReadOptions, type Topic } from "karst";

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * An event log over HTTP.
 *
 *     POST /events[?key=K]                    appends the body, a JSON document; 201 once it is durable
 *     GET  /events[?from=earliest|latest|P][&follow]
 *                                             events as lines of JSON or, with `Accept: text/event-stream`, as server-sent events,
 *                                             whose id is the position that `from` and `Last-Event-ID` take
 */
export function eventLog(
  events: Topic,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    respond(events, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else refuse(response, error);
    });
  };
}

async function respond(
  events: Topic,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname !== "/events") return send(response, 404, { error: "there is only /events" });
  switch (request.method) {
    case "POST":
      return append(events, url, request, response);
    case "GET":
      return stream(events, url, request, response);
    default:
      response.setHeader("allow", "GET, POST");
      return send(response, 405, { error: "use GET or POST" });
  }
}

async function append(
  events: Topic,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const value = await bodyOf(request);
  if (value === undefined) return send(response, 413, { error: `at most ${BODY_BYTES_MAX} bytes` });
  if (!isJson(value)) return send(response, 400, { error: "the body is no JSON" });
  const { partition, offset, timestampMs } = await events.append({
    key: url.searchParams.get("key"),
    value,
  });
  send(response, 201, { partition, offset, timestampMs });
}

async function stream(
  events: Topic,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sse = request.headers.accept?.includes("text/event-stream") === true;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const options: ReadOptions = {
    from: startOf(request.headers["last-event-id"]?.toString() ?? url.searchParams.get("from")),
    // Server-sent events are for following.
    follow: sse || url.searchParams.has("follow"),
    signal: gone.signal,
  };
  response.writeHead(200, {
    "content-type": sse ? "text/event-stream" : "application/x-ndjson",
    "cache-control": "no-store",
  });
  response.flushHeaders();
  try {
    // A slow client holds up its own reading and nobody else's.
    await pipeline(lines(events, options, sse), response);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

async function* lines(events: Topic, options: ReadOptions, sse: boolean): AsyncGenerator<string> {
  for await (const record of events.read(options)) {
    const { partition, offset, timestampMs } = record;
    const position = encodePosition(record.position);
    const event = JSON.stringify({
      partition,
      offset,
      timestampMs,
      position,
      event: record.json(),
    });
    yield sse ? `id: ${position}\ndata: ${event}\n\n` : `${event}\n`;
  }
}

/** "earliest", "latest" or the position of an event. */
function startOf(from: string | null): ReadFrom {
  if (from === null || from === "earliest" || from === "latest") return from ?? "earliest";
  try {
    return JSON.parse(Buffer.from(from, "base64url").toString()) as Positions;
  } catch {
    throw new RangeError(`from=${from} is neither earliest, latest nor the position of an event`);
  }
}

function encodePosition(position: Positions): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The body, or undefined if it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/** An error's kind says what the client does next, which is what a status says. */
function refuse(response: ServerResponse, error: unknown): void {
  const status = isKarstError(error, "invalid", "out_of_range", "not_found")
    ? 400
    : isKarstError(error, "unavailable")
      ? 503
      : error instanceof RangeError
        ? 400
        : 500;
  if (status === 500) console.error(error);
  send(response, status, {
    error: error instanceof Error && status !== 500 ? error.message : "sorry",
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    connection: status === 413 ? "close" : "keep-alive",
  });
  response.end(text);
}
