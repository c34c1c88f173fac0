import type { Connection, ConnectionHandlers, Listener, Net, Random } from "@karst/runtime";
import { randomInteger } from "@karst/runtime";
import type { ManualClock, SimulatedConnection, SimulatedNet } from "@karst/runtime/testing";
import type { Life } from "../world/life.ts";

/** How long clients may not notice that a machine is gone. */
const UNNOTICED_MS_MAX = 4_000;

export interface MortalNetOptions {
  readonly net: SimulatedNet;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly life: Life;
  /** Told of the bytes of each chunk, once the process has them. */
  readonly onBytes: (connection: SimulatedConnection, bytes: number) => void;
}

/**
 * The world's network as one process has it. When the process ends nothing is accepted, sent or received by it any more; its
 * connections are reset, at once or only after a while, as when a machine has lost its power.
 */
export class MortalNet implements Net {
  readonly #options: MortalNetOptions;
  readonly #connections = new Set<SimulatedConnection>();
  readonly #listeners = new Set<Listener>();

  constructor(options: MortalNetOptions) {
    this.#options = options;
    options.life.over.then(
      () => this.#die(),
      () => undefined,
    );
  }

  async listen(
    where: { readonly host: string; readonly port: number },
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const { net, life } = this.#options;
    const listener = await net.listen(where, (connection) => {
      if (life.isOver) connection.destroy();
      else onConnection(this.#accepted(connection as SimulatedConnection));
    });
    this.#listeners.add(listener);
    return listener;
  }

  #accepted(connection: SimulatedConnection): Connection {
    const { life, onBytes } = this.#options;
    this.#connections.add(connection);
    return {
      peer: connection.peer,
      get queuedBytes() {
        return connection.queuedBytes;
      },
      start: (handlers) => connection.start(this.#mortal(handlers, connection, onBytes)),
      write: (parts, written) => {
        if (life.isOver) return false;
        return connection.write(parts, written && (() => void (life.isOver || written())));
      },
      pause: () => connection.pause(),
      resume: () => {
        if (!life.isOver) connection.resume();
      },
      end: () => {
        if (!life.isOver) connection.end();
      },
      destroy: () => {
        if (!life.isOver) connection.destroy();
      },
    };
  }

  #mortal(
    handlers: ConnectionHandlers,
    connection: SimulatedConnection,
    onBytes: MortalNetOptions["onBytes"],
  ): ConnectionHandlers {
    const { life } = this.#options;
    return {
      data: (chunk) => {
        if (life.isOver) return;
        handlers.data(chunk);
        onBytes(connection, chunk.length);
      },
      drain: () => {
        if (!life.isOver) handlers.drain();
      },
      end: () => {
        if (!life.isOver) handlers.end();
      },
      closed: (error) => {
        this.#connections.delete(connection);
        if (!life.isOver) handlers.closed(error);
      },
    };
  }

  #die(): void {
    const { clock, random } = this.#options;
    for (const listener of this.#listeners) listener.close().catch(() => undefined);
    const reset = (): void => {
      for (const connection of this.#connections) connection.cut();
    };
    for (const connection of this.#connections) connection.pause();
    if (randomInteger(random, 0, 1) === 0) reset();
    else clock.setTimer(randomInteger(random, 1, UNNOTICED_MS_MAX), reset);
  }
}
