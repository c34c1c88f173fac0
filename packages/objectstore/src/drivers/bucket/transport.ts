import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { type BucketLimits, ERROR_BODY_BYTES_MAX } from "../../limits.ts";
import { asError, type Exchange } from "./exchange.ts";

/** What an SDK sees of an answer: the real one, or, unless its status is one of success, a copy that was read already. */
export type Answer = Readable & Pick<IncomingMessage, "statusCode" | "statusMessage" | "headers">;

/**
 * The connections of a store, under whichever SDK. Connecting and every pause in the middle of a request are bounded; a request
 * is ended by its signal; what is known of its outcome goes to its exchange.
 *
 * Invariant: a request counts as sent from the moment its connection stands, before any of its bytes can have left.
 */
export class Transport {
  readonly #limits: BucketLimits;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(limits: BucketLimits, ca: string | undefined) {
    this.#limits = limits;
    const pool = {
      keepAlive: true,
      maxSockets: limits.connections,
      maxFreeSockets: limits.connections,
      scheduling: "lifo" as const,
      // Of sockets that nobody uses; a server that closes them first loses requests.
      timeout: limits.idleMs,
    };
    this.#http = new HttpAgent(pool);
    this.#https = new HttpsAgent(ca === undefined ? pool : { ...pool, ca });
  }

  /** Begins a request, whose body the caller writes. */
  request(
    exchange: Exchange,
    options: RequestOptions,
    onAnswer: (answer: Answer) => void,
  ): ClientRequest {
    const secure = options.protocol === "https:";
    const request = (secure ? httpsRequest : httpRequest)({
      ...options,
      agent: secure ? this.#https : this.#http,
      timeout: this.#limits.requestTimeoutMs,
    });
    watch(request, exchange, secure, this.#limits);
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      exchange.answered(status, response.headers, "");
      response.on("error", (error) => exchange.failed(error));
      if (status >= 200 && status < 300) {
        onAnswer(response);
        return;
      }
      const { statusMessage, headers } = response;
      const show = (body: string): void => {
        exchange.answered(status, headers, body);
        const copy = Readable.from(body === "" ? [] : [Buffer.from(body)]);
        onAnswer(Object.assign(copy, { statusCode: status, statusMessage, headers }) as Answer);
      };
      // Where the body breaks off, the status has to do.
      readText(response).then(show, () => show(""));
    });
    return request;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function watch(
  request: ClientRequest,
  exchange: Exchange,
  secure: boolean,
  limits: BucketLimits,
): void {
  const end = (error: Error): void => {
    exchange.failed(error);
    request.destroy(error);
  };
  const onAbort = (): void => end(asError(exchange.signal?.reason));
  exchange.signal?.addEventListener("abort", onAbort, { once: true });
  let connecting: NodeJS.Timeout | undefined;
  request.on("socket", (socket) => {
    if (request.reusedSocket || !socket.connecting) {
      exchange.sent();
      return;
    }
    const { connectTimeoutMs } = limits;
    connecting = setTimeout(
      () => end(new Error(`no connection within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    socket.once(secure ? "secureConnect" : "connect", () => {
      clearTimeout(connecting);
      exchange.sent();
    });
  });
  request.on("timeout", () =>
    end(new Error(`nothing was sent or received for ${limits.requestTimeoutMs} ms`)),
  );
  request.on("error", (error) => exchange.failed(error));
  request.on("close", () => {
    clearTimeout(connecting);
    exchange.signal?.removeEventListener("abort", onAbort);
  });
  if (exchange.cancelled || exchange.signal?.aborted === true) onAbort();
}

/** The text of an error's body; what is beyond the limit is read and dropped. */
async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < ERROR_BODY_BYTES_MAX) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BODY_BYTES_MAX).toString();
}
