import { type Broker, type BrokerLimits, startBroker } from "@karst/broker";
import type { Engine } from "./api/engine.ts";
import { EngineHandle } from "./engine-handle.ts";

/** Where Kafka clients connect, and what they are told. */
export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  /** What clients are told to connect to. Default: where it listens. */
  readonly advertised?: { readonly host: string; readonly port: number } | undefined;
  /** Overrides of the default limits. */
  readonly limits?: Partial<BrokerLimits> | undefined;
  /** Whether asking for a missing topic makes it, as Kafka does unless told otherwise. Default true. */
  readonly autoCreateTopics?: boolean | undefined;
  /** How long the first members of a group are waited for, so that they begin with one assignment. Default 3,000. */
  readonly groupInitialRebalanceDelayMs?: number | undefined;
}

export interface KafkaListener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Open ones. */
  readonly connections: number;
  /** Stops listening and closes every connection. The engine stays open; closing the engine does this first. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/**
 * Lets Kafka clients produce to, and consume from, the topics of an engine that this process has open.
 *
 * @param engine One that `open` gave.
 * @throws KarstError `ADDRESS_IN_USE` (`unavailable`), `LISTENER_OPEN` (`conflict`): an engine has one at a time; `ENGINE_CLOSED`
 * (`closed`).
 */
export async function listen(engine: Engine, options: ListenOptions): Promise<KafkaListener> {
  if (!(engine instanceof EngineHandle))
    throw new TypeError("listen() takes an engine that open() of this package has given");
  const { host = HOST, port } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TypeError(`a port is a whole number from 0 to 65535, not ${String(port)}`);
  return engine.listen(async (parts, onClosed) => {
    const broker = await startBroker({
      engine: parts.engine,
      topics: parts.topics,
      runtime: parts.engine.runtime,
      listen: { host, port },
      advertised: options.advertised,
      limits: options.limits,
      autoCreateTopics: options.autoCreateTopics,
      groupInitialRebalanceDelayMs: options.groupInitialRebalanceDelayMs,
    });
    return new RunningListener(broker, onClosed);
  });
}

class RunningListener implements KafkaListener {
  readonly #broker: Broker;
  readonly #onClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(broker: Broker, onClosed: () => void) {
    this.#broker = broker;
    this.#onClosed = onClosed;
  }

  get host(): string {
    return this.#broker.host;
  }

  get port(): number {
    return this.#broker.port;
  }

  get connections(): number {
    return this.#broker.connections;
  }

  close(): Promise<void> {
    this.#closing ??= this.#broker.close().finally(this.#onClosed);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
