import type { Clock } from "../../clock.ts";
import { runtimeError } from "../../errors.ts";
import type { Connection, Listener, Net } from "../../net.ts";
import type { Random } from "../../random.ts";
import { SimulatedConnection, type Wire } from "./connection.ts";

const FIRST_FREE_PORT = 49_152;

export interface SimulatedNetOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Each step of a chunk takes this long, uniform. Default: no time, one deferred call. */
  readonly latency?: { readonly minMs: number; readonly maxMs: number };
  /** Chunks have 1 to this many bytes. Default 16 KiB. */
  readonly chunkBytesMax?: number;
  /** Undelivered bytes that a receiver holds before the sender waits. Default 64 KiB. */
  readonly windowBytes?: number;
  /** Queued bytes from which `write` returns false. Default 16 KiB, as Node's. */
  readonly highWaterBytes?: number;
}

/** A network inside the process. A port is one address, whatever host it was bound to. */
export class SimulatedNet implements Net {
  readonly #wire: Wire;
  readonly #listeners = new Map<number, (connection: SimulatedConnection) => void>();
  #connections: SimulatedConnection[] = [];
  #nextPort = FIRST_FREE_PORT;

  constructor(options: SimulatedNetOptions) {
    this.#wire = {
      clock: options.clock,
      random: options.random,
      latency: options.latency,
      chunkBytesMax: options.chunkBytesMax ?? 16 * 1024,
      windowBytes: options.windowBytes ?? 64 * 1024,
      highWaterBytes: options.highWaterBytes ?? 16 * 1024,
    };
  }

  /** Accepted connections that are not closed. */
  get connections(): readonly SimulatedConnection[] {
    this.#connections = this.#connections.filter((connection) => !connection.closed);
    return this.#connections;
  }

  async listen(
    options: { readonly host: string; readonly port: number },
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    await Promise.resolve();
    const port = options.port === 0 ? this.#freePort() : options.port;
    if (this.#listeners.has(port)) {
      throw runtimeError("ADDRESS_IN_USE", `${options.host}:${port} is in use by another listener`);
    }
    const accept = (connection: SimulatedConnection): void => {
      onConnection(connection);
      if (connection.started || connection.closed) return;
      connection.destroy();
      throw new TypeError("onConnection must start or destroy the connection before it returns");
    };
    this.#listeners.set(port, accept);
    return {
      host: options.host,
      port,
      close: async () => {
        await Promise.resolve();
        if (this.#listeners.get(port) === accept) this.#listeners.delete(port);
      },
    };
  }

  /**
   * A client's end; `start` it before returning to the event loop. Where nobody listens it closes with `ECONNREFUSED`.
   * What is written before the connection is accepted waits.
   */
  connect(host: string, port: number): SimulatedConnection {
    const addresses = { client: `simulated:${this.#freePort()}`, server: `${host}:${port}` };
    const { client, accepted } = SimulatedConnection.pair(this.#wire, addresses);
    this.#wire.clock.defer(() => {
      const accept = this.#listeners.get(port);
      if (client.closed) return;
      if (accept === undefined) {
        client.refuse();
        return;
      }
      this.#connections = [...this.connections, accepted];
      accept(accepted);
    });
    return client;
  }

  /** Cuts every connection that there is. */
  cut(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** Closes every listener and cuts every connection: the listening process is gone. */
  reset(): void {
    this.#listeners.clear();
    this.cut();
  }

  #freePort(): number {
    while (this.#listeners.has(this.#nextPort)) this.#nextPort += 1;
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }
}
