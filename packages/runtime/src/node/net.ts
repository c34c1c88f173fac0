import { createServer, type Server, type Socket } from "node:net";
import { runtimeError } from "../errors.ts";
import type { Connection, ConnectionHandlers, Listener, Net } from "../net.ts";

/** How long an ended connection waits for its peer to close too: closing on unread bytes would reset what we sent last. */
const LINGER_MS = 1_000;

/** After this much silence the kernel asks whether the peer is still there. */
const KEEP_ALIVE_MS = 60_000;

/** TCP sockets of the process. */
export const nodeNet: Net = {
  listen(options, onConnection) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      accept(socket, onConnection),
    );
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(listenError(options, error)));
      server.listen({ host: options.host, port: options.port }, () => {
        server.removeAllListeners("error");
        // Accepting may fail later (no descriptors left): the client is refused, and the listener goes on.
        server.on("error", () => undefined);
        resolve(listenerOf(server, options.host));
      });
    });
  },
};

function accept(socket: Socket, onConnection: (connection: Connection) => void): void {
  const connection = new NodeConnection(socket);
  onConnection(connection);
  if (connection.started || socket.destroyed) return;
  socket.destroy();
  throw new TypeError("onConnection must start or destroy the connection before it returns");
}

function listenerOf(server: Server, host: string): Listener {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host,
    port,
    close() {
      // The descriptor is closed at once; the server's own callback would also wait for every open connection.
      if (server.listening) server.close();
      return Promise.resolve();
    },
  };
}

function listenError(
  options: { readonly host: string; readonly port: number },
  error: Error,
): Error {
  const place = `${options.host}:${options.port}`;
  if ("code" in error && error.code === "EADDRINUSE") {
    return runtimeError("ADDRESS_IN_USE", `${place} is in use by another process`, error);
  }
  return runtimeError("IO_ERROR", `cannot listen on ${place}: ${error.message}`, error);
}

/**
 * One socket.
 *
 * - A `written` callback is in `#unwritten` from `write` until it is called, and never called from inside `write`.
 * - No handler is called after `closed`; no `data` after `end` or `destroy`.
 */
export class NodeConnection implements Connection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #unwritten = new Set<() => void>();
  #handlers: ConnectionHandlers | undefined;
  #state: "open" | "ending" | "closed" = "open";
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const host = socket.remoteAddress ?? "unknown";
    this.peer = `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort ?? 0}`;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => this.#close());
  }

  get started(): boolean {
    return this.#handlers !== undefined;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new TypeError("a connection can be started once");
    this.#handlers = handlers;
    this.#socket.on("data", (chunk) => {
      if (this.#delivers()) handlers.data(chunk);
    });
    this.#socket.on("drain", () => {
      if (this.#delivers()) handlers.drain();
    });
    this.#socket.on("end", () => {
      if (this.#delivers()) handlers.end();
      if (this.#state === "ending") this.#socket.destroySoon();
    });
  }

  write(parts: readonly Uint8Array[], written?: () => void): boolean {
    const last = parts.length - 1;
    if (!this.#delivers() || last < 0) {
      if (written !== undefined) queueMicrotask(written);
      return last < 0 && this.#delivers();
    }
    const settle = written === undefined ? undefined : this.#once(written);
    let accepted = true;
    this.#socket.cork();
    for (let i = 0; i <= last; i += 1) {
      accepted = this.#socket.write(parts[i] as Uint8Array, i === last ? settle : undefined);
    }
    this.#socket.uncork();
    return accepted;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    const socket = this.#socket;
    if (socket.readableEnded) {
      socket.destroySoon();
      return;
    }
    socket.end(() => {
      const linger = setTimeout(() => socket.destroy(), LINGER_MS);
      linger.unref();
      socket.once("close", () => clearTimeout(linger));
    });
    // Read on, to see the peer's end.
    socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #delivers(): boolean {
    return this.#state === "open" && !this.#socket.destroyed;
  }

  #once(written: () => void): () => void {
    const settle = (): void => {
      if (this.#unwritten.delete(settle)) written();
    };
    this.#unwritten.add(settle);
    return settle;
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const settle of this.#unwritten) settle();
    this.#handlers?.closed(this.#error);
  }
}
