import {
  type AnyApi,
  decodeResponseHeader,
  openRequest,
  REQUEST_FRAME_BYTES_MIN,
  RESPONSE_FRAME_BYTES_MIN,
} from "@karst/kafka-protocol";
import { once } from "node:events";
import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";
import { trustedFrames } from "../../trusted-frames.ts";
import { within } from "../../within.ts";

const CLOSE_TIMEOUT_MS = 30_000;

/** A request of a client, and what it was answered. */
export interface Exchange {
  readonly api: AnyApi;
  readonly version: number;
  readonly clientId: string | null;
  readonly request: unknown;
  /** undefined: nothing yet, or never. */
  answer: unknown;
}

/** Passes bytes on both ways, and keeps the messages that it sees, requests in the order in which they came. */
export class RecordingProxy {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  #exchanges: Exchange[] = [];

  private constructor(server: TcpServer) {
    this.#server = server;
  }

  static async start(port: number, target: number): Promise<RecordingProxy> {
    const server = createServer();
    const proxy = new RecordingProxy(server);
    server.on("connection", (client) => proxy.#join(client, connect(target, "127.0.0.1")));
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  /** What was recorded since the last call. */
  take(): readonly Exchange[] {
    const taken = this.#exchanges;
    this.#exchanges = [];
    return taken;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await within(CLOSE_TIMEOUT_MS, "a proxy is closed", once(this.#server, "close"));
  }

  #join(client: Socket, broker: Socket): void {
    const waiting = new Map<number, Exchange>();
    const requests = trustedFrames(REQUEST_FRAME_BYTES_MIN, (frame) => {
      const opened = openRequest(frame);
      if (opened.tag !== "request") return;
      const { api, header, body } = opened;
      const { apiVersion: version, clientId, correlationId } = header;
      const request = api.request.decode(version, body);
      const exchange = { api, version, clientId, request, answer: undefined };
      this.#exchanges.push(exchange);
      waiting.set(correlationId, exchange);
    });
    const answers = trustedFrames(RESPONSE_FRAME_BYTES_MIN, (frame) => {
      const correlationId = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
      const exchange = waiting.get(correlationId);
      if (exchange === undefined) return;
      waiting.delete(correlationId);
      const { api, version } = exchange;
      const { bodyAt } = decodeResponseHeader(api.responseHeaderVersion(version), frame);
      exchange.answer = api.response.decode(version, frame.subarray(bodyAt));
    });
    for (const [from, to, through] of [
      [client, broker, requests],
      [broker, client, answers],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (chunk) => {
        through.push(chunk);
        to.write(chunk);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
