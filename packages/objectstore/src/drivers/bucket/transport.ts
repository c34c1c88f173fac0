import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import type { Clock, Timer } from "@karst/runtime";
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
  readonly #clock: Clock;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(limits: BucketLimits, clock: Clock, ca: string | undefined) {
    this.#limits = limits;
    this.#clock = clock;
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

  /**
   * Begins a request, whose body the caller writes.
   *
   * @throws Error when the call is over.
   */
  request(
    exchange: Exchange,
    options: RequestOptions,
    onAnswer: (answer: Answer) => void,
  ): ClientRequest {
    if (exchange.over) throw asError(exchange.signal?.reason ?? "the call is over");
    const secure = options.protocol === "https:";
    const request = (secure ? httpsRequest : httpRequest)({
      ...options,
      agent: secure ? this.#https : this.#http,
      timeout: this.#limits.requestTimeoutMs,
    });
    this.#watch(request, exchange, secure);
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      exchange.answered(status, response.headers, "");
      response.on("error", (error) => exchange.failed(error));
      if (status >= 200 && status < 300) {
        onAnswer(endIsKnown(request, response) ? response : withoutEnd(response));
        return;
      }
      const { headers } = response;
      const show = (body: string): void => {
        exchange.answered(status, headers, body);
        onAnswer(answerOf(response, Readable.from(body === "" ? [] : [Buffer.from(body)])));
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

  #watch(request: ClientRequest, exchange: Exchange, secure: boolean): void {
    const { connectTimeoutMs, requestTimeoutMs } = this.#limits;
    const end = (error: Error): void => {
      exchange.failed(error);
      request.destroy(error);
    };
    let connecting: Timer | undefined;
    let response: IncomingMessage | undefined;
    request.on("socket", (socket) => {
      if (request.reusedSocket || !socket.connecting) {
        exchange.sent();
        return;
      }
      connecting = this.#clock.setTimer(connectTimeoutMs, () =>
        end(new Error(`no connection within ${connectTimeoutMs} ms`)),
      );
      socket.once(secure ? "secureConnect" : "connect", () => {
        connecting?.cancel();
        exchange.sent();
      });
    });
    request.on("timeout", () =>
      end(new Error(`nothing was sent or received for ${requestTimeoutMs} ms`)),
    );
    request.on("response", (answer) => {
      response = answer;
    });
    request.on("error", (error) => exchange.failed(error));
    request.on("close", () => connecting?.cancel());
    exchange.begun(() => {
      // A server may answer before it has read the whole of a request.
      if (response?.complete === true && request.writableFinished) response.resume();
      else request.destroy();
    });
  }
}

/** A body whose end is that of its connection cannot be told from one that is cut. */
function endIsKnown(request: ClientRequest, { statusCode, headers }: IncomingMessage): boolean {
  return (
    request.method === "HEAD" ||
    statusCode === 204 ||
    headers["content-length"] !== undefined ||
    headers["transfer-encoding"] !== undefined
  );
}

/** The answer, with a body that fails whoever reads it. */
function withoutEnd(response: IncomingMessage): Answer {
  response.resume();
  const body = new Readable({
    read() {
      this.destroy(new Error("an answer's body does not say where it ends"));
    },
  });
  return answerOf(response, body);
}

function answerOf({ statusCode, statusMessage, headers }: IncomingMessage, body: Readable): Answer {
  return Object.assign(body, { statusCode, statusMessage, headers }) as Answer;
}

/** The text of an error's body, up to the limit: one that is longer costs the connection. */
async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ERROR_BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BODY_BYTES_MAX).toString();
}
