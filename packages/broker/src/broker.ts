import type { Engine, StateStreamLimits, Topics } from "@karst/core";
import { uuidToBase64 } from "@karst/kafka-protocol";
import {
  type Connection,
  type Listener,
  MemoryShare,
  randomInteger,
  type Runtime,
  type Timer,
} from "@karst/runtime";
import { ClientConnection } from "./connection/client-connection.ts";
import { Joiner } from "./connection/joiner.ts";
import { FetchSessions } from "./fetch/fetch-sessions.ts";
import { GroupCoordinator } from "./groups/group-coordinator.ts";
import type { BrokerContext } from "./handlers/handler.ts";
import {
  type BrokerLimits,
  DEFAULT_BROKER_LIMITS,
  GROUP_INITIAL_REBALANCE_DELAY_MS,
} from "./limits.ts";
import { RequestMemory } from "./request-memory.ts";
import { SharedWaits } from "./shared-waits.ts";

export interface BrokerOptions {
  readonly engine: Engine;
  readonly topics: Topics;
  readonly runtime: Runtime;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** What clients are told to connect to; by default where we listen. */
  readonly advertised?: { readonly host: string; readonly port: number } | undefined;
  readonly limits?: Partial<BrokerLimits> | undefined;
  /** Whether the first Metadata request for a topic creates it, as Kafka's default does. Default: true. */
  readonly autoCreateTopics?: boolean | undefined;
  /** How long the first members of a group are waited for, so that they begin with one assignment. Default: 3,000; 0 in tests. */
  readonly groupInitialRebalanceDelayMs?: number | undefined;
  /** Of the log in which groups and their offsets are kept. */
  readonly groupStateLimits?: Partial<StateStreamLimits>;
}

/** A Kafka listener over an open engine. The engine and its topics stay the caller's, to close afterwards. */
export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /**
   * Stops listening and closes every connection; requests that are being served may end unanswered. Resolves when the connections have
   * gone, and nothing of the engine's memory is held for clients but what requests under way still use.
   */
  close(): Promise<void>;
}

const SWEEP_INTERVAL_MS = 1_000;
const INT32_MAX = 0x7fff_ffff;

/** @throws KarstError `ADDRESS_IN_USE` (`unavailable`). */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const limits: BrokerLimits = { ...DEFAULT_BROKER_LIMITS, ...options.limits };
  const { runtime } = options;
  const connections = new Connections({
    runtime,
    limits,
    memory: new RequestMemory(options.engine.memory, limits.requestBytesMax),
  });
  const listener = await runtime.net.listen(options.listen, (socket) => connections.accept(socket));
  const groups = new GroupCoordinator({
    engine: options.engine,
    topics: options.topics,
    runtime,
    limits,
    initialRebalanceDelayMs:
      options.groupInitialRebalanceDelayMs ?? GROUP_INITIAL_REBALANCE_DELAY_MS,
    ...(options.groupStateLimits && { stateLimits: options.groupStateLimits }),
  });
  const fetchSessions = sessionsOf(options.engine, runtime, limits);
  connections.open({
    topics: options.topics,
    groups,
    runtime,
    log: runtime.log,
    limits,
    clusterId: uuidToBase64(options.engine.rootId),
    advertised: options.advertised ?? { host: listener.host, port: listener.port },
    autoCreateTopics: options.autoCreateTopics ?? true,
    waits: new SharedWaits(),
    fetchSessions,
    counters: {
      producedBatches: runtime.metrics.counter("karst_broker_produced_batches"),
      fetchedBytes: runtime.metrics.counter("karst_broker_fetched_bytes"),
    },
  });
  return new RunningBroker({ listener, connections, groups, fetchSessions });
}

function sessionsOf(engine: Engine, runtime: Runtime, limits: BrokerLimits): FetchSessions {
  const random = runtime.random.fork("fetch-sessions");
  return new FetchSessions({
    sessionsMax: limits.fetchSessionsMax,
    partitionsMax: limits.fetchSessionPartitionsMax,
    bytesMax: limits.fetchSessionBytesMax,
    memory: new MemoryShare(engine.memory, "fetch sessions"),
    idleMs: limits.fetchSessionIdleMs,
    newId: () => randomInteger(random, 1, INT32_MAX),
  });
}

/** What a broker is made of. */
interface BrokerParts {
  readonly listener: Listener;
  readonly connections: Connections;
  readonly groups: GroupCoordinator;
  readonly fetchSessions: FetchSessions;
}

class RunningBroker implements Broker {
  readonly #parts: BrokerParts;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  get host(): string {
    return this.#parts.listener.host;
  }

  get port(): number {
    return this.#parts.listener.port;
  }

  get connections(): number {
    return this.#parts.connections.count;
  }

  async close(): Promise<void> {
    const { listener, connections, groups, fetchSessions } = this.#parts;
    const listening = listener.close();
    const closing = connections.close();
    await groups.close();
    await Promise.all([listening, closing]);
    fetchSessions.close();
  }
}

/** Every open connection, their common flush at the end of a turn, and the sweep for stalled ones. */
class Connections {
  readonly #runtime: Runtime;
  readonly #limits: BrokerLimits;
  readonly #memory: RequestMemory;
  readonly #open = new Set<ClientConnection>();
  readonly #unflushed = new Set<ClientConnection>();
  readonly #joiner = new Joiner();
  #broker: BrokerContext | undefined;
  #sweepTimer: Timer | undefined;
  #closed = false;
  /** Waits for the last connection to go. */
  #onEmpty: () => void = () => undefined;

  constructor(options: {
    readonly runtime: Runtime;
    readonly limits: BrokerLimits;
    readonly memory: RequestMemory;
  }) {
    this.#runtime = options.runtime;
    this.#limits = options.limits;
    this.#memory = options.memory;
  }

  get count(): number {
    return this.#open.size;
  }

  open(broker: BrokerContext): void {
    this.#broker = broker;
  }

  accept(socket: Connection): void {
    const broker = this.#broker;
    if (this.#closed || broker === undefined || this.#open.size >= this.#limits.connectionsMax) {
      // Started, so that its end is heard of; then closed without an answer, as Kafka does.
      socket.start({
        data: () => undefined,
        drain: () => undefined,
        end: () => undefined,
        closed: () => undefined,
      });
      socket.destroy();
      if (!this.#closed)
        this.#runtime.log.warn("connection-refused", { peer: socket.peer, open: this.#open.size });
      return;
    }
    const connection = new ClientConnection({
      socket,
      broker,
      memory: this.#memory,
      joiner: this.#joiner,
      scheduleFlush: (unflushed) => this.#scheduleFlush(unflushed),
      onClosed: (closed) => {
        this.#open.delete(closed);
        if (this.#open.size > 0) return;
        this.#stopSweeping();
        this.#onEmpty();
      },
    });
    this.#open.add(connection);
    this.#sweepTimer ??= this.#runtime.clock.setTimer(SWEEP_INTERVAL_MS, () => this.#sweep());
  }

  /** Resolves when every connection has gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweeping();
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const connection of this.#open) connection.destroy();
    await empty;
  }

  /** One flush of each connection per turn, however many of its responses became ready in it. */
  #scheduleFlush(connection: ClientConnection): void {
    if (this.#unflushed.size === 0) this.#runtime.clock.defer(() => this.#flush());
    this.#unflushed.add(connection);
  }

  #flush(): void {
    const connections = [...this.#unflushed];
    this.#unflushed.clear();
    for (const connection of connections) connection.flush();
  }

  #sweep(): void {
    this.#sweepTimer = undefined;
    for (const connection of this.#open) connection.sweep();
    if (this.#open.size > 0 && !this.#closed) {
      this.#sweepTimer = this.#runtime.clock.setTimer(SWEEP_INTERVAL_MS, () => this.#sweep());
    }
  }

  #stopSweeping(): void {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
  }
}
