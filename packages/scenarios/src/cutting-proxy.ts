import { once } from "node:events";
import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";
import { within } from "./within.ts";

const CLOSE_TIMEOUT_MS = 30_000;

/** Passes bytes on both ways, until every connection is cut at once. */
export class CuttingProxy {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(server: TcpServer) {
    this.#server = server;
  }

  static async start(port: number, target: number): Promise<CuttingProxy> {
    const server = createServer();
    const proxy = new CuttingProxy(server);
    server.on("connection", (client) => proxy.#join(client, connect(target, "127.0.0.1")));
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  /** Resets every connection: bytes in flight are lost, both ways. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await within(CLOSE_TIMEOUT_MS, "a proxy is closed", once(this.#server, "close"));
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
