import type { RequestOptions } from "node:http";
import { Readable } from "node:stream";
import { asError, type Exchange } from "../bucket/exchange.ts";
import type { Answer, Transport } from "../bucket/transport.ts";

/** A request as the SDK hands it to whoever sends it. */
export interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** An answer as the SDK reads it. */
interface SdkResponse {
  readonly statusCode: number;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** What is given to `send` beside the command, and comes back here. */
export interface SendOptions {
  readonly exchange: Exchange;
}

/** Sends the SDK's requests through our transport, which knows what of them left this machine. */
export class Handler {
  readonly metadata: { readonly handlerProtocol: string } = { handlerProtocol: "http/1.1" };
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  handle(
    request: SdkRequest,
    { exchange }: SendOptions,
  ): Promise<{ readonly response: SdkResponse }> {
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        protocol: request.protocol,
        // A URL has an IPv6 address in brackets, a connection has none.
        host: request.hostname.replace(/^\[(.*)\]$/, "$1"),
        method: request.method,
        path: request.path + queryString(request.query),
        headers: request.headers,
        ...(request.port === undefined ? {} : { port: request.port }),
      };
      const sending = this.#transport.request(exchange, options, (answer) => {
        resolve({ response: responseOf(answer) });
      });
      sending.on("error", reject);
      const { body } = request;
      if (body instanceof Readable) {
        body.on("error", (error) => sending.destroy(asError(error)));
        body.pipe(sending);
      } else if (body instanceof Uint8Array || typeof body === "string") {
        sending.end(body);
      } else {
        sending.end();
      }
    });
  }

  /** The transport belongs to the store, which closes it. */
  destroy(): void {}

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

function responseOf(answer: Answer): SdkResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return {
    statusCode: answer.statusCode ?? 0,
    reason: answer.statusMessage,
    headers,
    body: answer,
  };
}

/** Encoded and ordered as it was signed. */
function queryString(query: SdkRequest["query"]): string {
  const pairs = Object.entries(query ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      if (value === null) return [encode(name)];
      const values = typeof value === "string" ? [value] : value;
      return values.map((each) => `${encode(name)}=${encode(each)}`);
    });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
