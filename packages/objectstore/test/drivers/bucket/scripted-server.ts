import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CERTIFICATE, PRIVATE_KEY } from "./certificate.ts";

/** A request that has arrived whole. */
export interface Arrived {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers a request, or does not. */
export type Answer = (request: Arrived, response: ServerResponse) => void;

/** A server that says what it is told to, and keeps what it was asked. */
export class ScriptedServer {
  readonly endpoint: string;
  readonly requests: Arrived[] = [];
  connections = 0;
  /** For requests to come. */
  answer: Answer = ok();
  readonly #close: () => Promise<void>;
  #arrivals: (() => void)[] = [];

  private constructor(endpoint: string, close: () => Promise<void>) {
    this.endpoint = endpoint;
    this.#close = close;
  }

  static async start(protocol: "http" | "https" = "http"): Promise<ScriptedServer> {
    const server =
      protocol === "http"
        ? createServer()
        : createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const scripted = new ScriptedServer(
      `${protocol}://127.0.0.1:${port}`,
      () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(() => resolve());
        }),
    );
    server.on("connection", () => {
      scripted.connections += 1;
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        scripted.#arrived({ method, path: url, headers, body: Buffer.concat(chunks) }, response);
      });
    });
    return scripted;
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Resolves when the next request has arrived. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrivals.push(resolve);
    });
  }

  #arrived(request: Arrived, response: ServerResponse): void {
    this.requests.push(request);
    const waiting = this.#arrivals;
    this.#arrivals = [];
    for (const resolve of waiting) resolve();
    this.answer(request, response);
  }
}

export function ok(body = "", headers: Readonly<Record<string, string>> = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { etag: '"e"', ...headers }).end(body);
  };
}

/** An error as S3 says it. */
export function s3Error(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>said so</Message><RequestId>r</RequestId></Error>`;
  return (request, response) => {
    response.writeHead(status, {
      "content-type": "application/xml",
      "x-amz-request-id": "r",
      ...headers,
    });
    response.end(request.method === "HEAD" ? "" : body);
  };
}

/** What removes one object, or ends an upload. */
export const empty: Answer = (_request, response) => void response.writeHead(204).end();

/** A page of a list; `next` leads to another. */
export function listed(keys: readonly string[], next = ""): Answer {
  const entries = keys.map(
    (key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>`,
  );
  const token = next === "" ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return ok(
    `<ListBucketResult>${entries.join("")}<IsTruncated>${next !== ""}</IsTruncated>${token}</ListBucketResult>`,
  );
}

/** An error as something between says it. */
export function page(status: number): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end(`<html><head><title>${status}</title></head><body><hr>proxy</body></html>`);
  };
}

export const reset: Answer = (_request, response) => void response.socket?.resetAndDestroy();

export const silence: Answer = () => undefined;

/** These, one after the other; the last for all that follow. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let next = 0;
  return (request, response) => {
    answers[Math.min(next, answers.length - 1)]?.(request, response);
    next += 1;
  };
}
