import type { Topics } from "@karst/core";
import { isKarstError, randomInteger } from "@karst/runtime";
import { SimulatedNet, type SeededRandom, type SimulatedConnection } from "@karst/runtime/testing";
import { chance } from "../world/draw.ts";
import type { Machine } from "../world/machine.ts";
import { WalWatch } from "../world/wal-watch.ts";
import { World, type WorldOptions } from "../world/world.ts";
import { Admin } from "./admin.ts";
import { type BrokerProcess, type BrokerSettings, openBrokerProcess } from "./broker-process.ts";
import { ClientConnection, type ConnectionEvents } from "./client-connection.ts";
import { askVersions, attack, type Hostility } from "./hostile.ts";
import { Ledger } from "./ledger.ts";
import type { NetSetting } from "./net-setting.ts";
import type { Site } from "./site.ts";
import { Producer, type ProducerOptions } from "./producer.ts";
import { TopicModel } from "./topic-model.ts";

/** Openings that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 5;
const TRIES_MAX = 12;
/** The end of a connection takes no longer. */
const CLOSED_MS = 100;

export interface BrokerRunOptions extends WorldOptions {
  readonly producers: readonly ProducerOptions[];
  readonly net: NetSetting;
}

/**
 * One broker process after another, and clients that outlive them all.
 *
 * Invariant: `#owner` is the process that was opened last; what was found wrong first is in `#failure`.
 */
export class BrokerRun implements Site {
  readonly world: World;
  readonly ledger: Ledger;
  readonly net: SimulatedNet;
  readonly admin: Admin;
  readonly random: SeededRandom;
  /** All that there ever were, the present generation of a name last. */
  readonly topics: TopicModel[] = [];
  readonly producers: readonly Producer[];
  /** From now on every request must be answered in time. */
  healed = false;
  readonly #connections = new Set<ClientConnection>();
  readonly #attackers = new Set<ClientConnection>();
  readonly #settings: BrokerSettings;
  readonly #watch: WalWatch;
  readonly #events: ConnectionEvents;
  #owner: BrokerProcess | undefined;
  #recreations: Promise<void> = Promise.resolve();
  #pendingRecreations = 0;
  #connected = 0;
  #cutAfterBytes = Infinity;
  #failure: unknown;

  /** @param label tells its randomness from that of other families. @param settings the broker's. */
  constructor(options: BrokerRunOptions, label: string, settings: BrokerSettings) {
    this.#settings = settings;
    this.world = new World(options);
    this.ledger = new Ledger(this.world);
    this.random = this.world.random.fork(label);
    const { clock, invariants, sometimes } = this.world;
    const { chunkBytesMax, windowBytes, latencyMsMax } = options.net;
    this.net = new SimulatedNet({
      clock,
      random: this.random.fork("net"),
      chunkBytesMax,
      windowBytes,
      ...(latencyMsMax > 0 && { latency: { minMs: 0, maxMs: latencyMsMax } }),
    });
    this.#events = {
      clock,
      net: this.net,
      violation: (what) => this.failed(new Error(what)),
      timedOut: (api) => {
        sometimes.add("request-timeout");
        if (this.healed) this.failed(new Error(`nothing is wrong, and ${api} is not answered`));
      },
      leave: () => (chance(this.random, 50) ? "closed" : "forgotten"),
    };
    this.#watch = new WalWatch(this.machine, invariants, sometimes);
    this.admin = new Admin(this, this.random.fork("admin"));
    this.producers = options.producers.map(
      (one) => new Producer(one, this, this.random.fork(one.name)),
    );
  }

  get machine(): Machine {
    return this.world.machine;
  }

  /** Makes a topic, and waits for it. */
  async makeTopic(name: string, partitions: number): Promise<void> {
    await this.live();
    const topic = new TopicModel(name, 0, partitions);
    this.topics.push(topic);
    await this.wait(this.admin.create(topic));
  }

  /** Deletes a topic, and makes another of the same name; one after the other. */
  recreate(name: string, partitions: number): void {
    this.#pendingRecreations += 1;
    this.#recreations = this.#recreations
      .then(async () => {
        const old = this.topic(name);
        if (old === undefined) throw new Error(`${name} was not made`);
        this.deleting(old);
        await this.admin.remove(old);
        const next = new TopicModel(name, old.generation + 1, partitions);
        this.topics.push(next);
        await this.admin.create(next);
        this.world.sometimes.add("recreated");
        this.#pendingRecreations -= 1;
      })
      .catch((error: unknown) => this.failed(error));
  }

  /** Everybody is told that it will be deleted. */
  deleting(topic: TopicModel): void {
    for (const producer of this.producers) producer.forget(topic);
  }

  get isRecreating(): boolean {
    return this.#pendingRecreations > 0;
  }

  connect(): ClientConnection {
    this.#connected += 1;
    const connection = new ClientConnection(this.#connected, this.#events);
    for (const one of this.#connections) if (!one.isOpen) this.#connections.delete(one);
    this.#connections.add(connection);
    if (chance(this.random, 20))
      askVersions(this, connection, randomInteger(this.random, 0, 4)).catch((error: unknown) =>
        this.failed(error),
      );
    return connection;
  }

  /** What the broker is given in place of the engine's topics: the same, unless a test of the checks spoils them. */
  serve(topics: Topics): Topics {
    return topics;
  }

  /** Opens a connection that means no good. */
  attack(what: Hostility): void {
    this.#attackers.add(attack(this, this.random, what));
  }

  /** Connections of the broker's side that nobody in good faith has the other end of. */
  get strayConnections(): number {
    const honest = this.connections.filter((connection) => !this.#attackers.has(connection));
    return this.net.connections.length - honest.length;
  }

  get connections(): readonly ClientConnection[] {
    return [...this.#connections].filter(({ isOpen }) => isOpen);
  }

  topic(name: string): TopicModel | undefined {
    const last = this.topics.findLast((one) => one.name === name);
    return last?.isLive === true ? last : undefined;
  }

  failed(error: unknown): void {
    this.#failure ??= error;
  }

  /** Nobody has found anything wrong. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
    const failure = this.#owner?.failure;
    // There is nobody who could have fenced it.
    if (failure !== undefined && isKarstError(failure, "fenced")) throw failure;
  }

  /** The next connection that has brought the broker so many bytes more, all of them together, is cut. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** The broker, working, failed or closed; undefined: there is none. */
  get current(): BrokerProcess | undefined {
    return this.#owner?.life.isOver === false ? this.#owner : undefined;
  }

  /** The broker: started where there is none that works. */
  async live(): Promise<BrokerProcess> {
    for (let tries = 0; ; tries += 1) {
      const { current } = this;
      if (current?.works === true) return current;
      this.world.invariants.check("W12", tries < TRIES_MAX, "no broker starts");
      if (tries >= TRIES_UNHEALED) this.world.heal();
      if (current !== undefined) await this.#discard(current);
      await this.#open();
    }
  }

  /** Ends the broker in order, under its clients' hands. */
  async close(): Promise<void> {
    const process = await this.live();
    const outcome = await this.world.until(process.life, process.close());
    this.world.note(`close ${outcome.tag}`);
    if (
      outcome.tag === "failed" &&
      !isKarstError(outcome.error, "unavailable", "indeterminate", "closed")
    )
      throw outcome.error;
    if (outcome.tag === "ok") {
      this.world.sometimes.add("clean-close");
      // Until the ends of the connections have got through.
      await this.world.clock.advance(CLOSED_MS);
      this.checkReleased(process);
    }
    process.life.end();
  }

  /** It has ended, and holds nothing. */
  checkReleased({ memory, broker }: BrokerProcess): void {
    const { reservedBytes } = memory;
    this.world.invariants.check(
      "PL4",
      broker.connections === 0,
      `${broker.connections} connections stay`,
    );
    this.world.invariants.check("PL4", reservedBytes === 0, `${reservedBytes} bytes stay reserved`);
  }

  /** Lets time pass until it resolves, with a broker there all the time. */
  async wait(promise: Promise<void>): Promise<void> {
    let settled = false;
    const over = promise.then(
      () => {
        settled = true;
      },
      (error: unknown) => {
        settled = true;
        this.failed(error);
      },
    );
    const isSettled = (): boolean => settled;
    for (let rounds = 0; !isSettled(); rounds += 1) {
      this.world.invariants.check("W12", rounds < 2_000, "a client does not come to an end");
      await this.live();
      await this.world.clock.advance(100);
      this.check();
    }
    await over;
  }

  async #open(): Promise<void> {
    const surroundings = this.machine.surroundings();
    const opening = openBrokerProcess(
      surroundings,
      { net: this.net, onBytes: (connection, bytes) => this.#arrived(connection, bytes) },
      this.#watch.watch,
      { ...this.#settings, serve: (topics) => this.serve(topics) },
    );
    const outcome = await this.world.until(surroundings.life, opening);
    this.world.note(`open ${outcome.tag}`);
    if (outcome.tag === "ok") {
      this.#owner = outcome.value;
      return;
    }
    surroundings.life.end();
    if (
      outcome.tag === "failed" &&
      !isKarstError(outcome.error, "unavailable", "indeterminate", "closed", "fenced", "conflict")
    )
      throw outcome.error as Error;
  }

  /** Lets a broker go whose engine has failed. */
  async #discard(process: BrokerProcess): Promise<void> {
    this.world.sometimes.add("engine-failed");
    await this.world.until(process.life, process.abandon());
    process.life.end();
  }

  #arrived(connection: SimulatedConnection, bytes: number): void {
    this.#cutAfterBytes -= bytes;
    if (this.#cutAfterBytes > 0) return;
    this.#cutAfterBytes = Infinity;
    this.world.sometimes.add("cut-inside");
    connection.cut();
  }
}
