import { isKarstError } from "@karst/runtime";
import type { Machine } from "../world/machine.ts";
import { World, type WorldOptions } from "../world/world.ts";
import { Appends } from "./appends.ts";
import { CatchUpReader, type Habits } from "./catch-up-reader.ts";
import { Follower } from "./follower.ts";
import { type Size, TINY } from "./limits.ts";
import { LogModel } from "./log-model.ts";
import type { Draft } from "./open-log.ts";
import { Ownership } from "./ownership.ts";
import type { Process } from "./process.ts";
import { ProducerModel, type Sent } from "./producer-model.ts";

/** Of those that catch up at the same time. */
const READERS_MAX = 8;

/** One process after another over one world, against models of what they must show. Whatever goes wrong throws. */
export class Run {
  readonly world: World;
  readonly machine: Machine;
  /** Of each object, requests still to be left alone: a reader that is answered wrongly twice in a row must take it for corrupt. */
  readonly unspoiled: Map<string, number> = new Map();
  /** A stream, and two partitions. */
  readonly logs: readonly [LogModel, LogModel, LogModel];
  readonly producers: readonly ProducerModel[];
  readonly followers: readonly Follower[];
  /** That have not caught up yet, and those that have until the next step. */
  readonly readers: CatchUpReader[] = [];
  readonly #ownership: Ownership;
  readonly #appends: Appends;
  #serial = 0;
  readonly #producerIds = new Set<number>();
  /** What was found wrong while nobody waited for it. */
  #failure: unknown;

  constructor(options: WorldOptions, size: Size = TINY) {
    this.world = new World(options);
    this.machine = this.world.machine;
    const { world } = this;
    const { invariants } = world;
    this.logs = [
      new LogModel("s", true, invariants),
      new LogModel("p0", false, invariants),
      new LogModel("p1", false, invariants),
    ];
    const [, first, second] = this.logs;
    const producer = (id: number, log: LogModel, firstSequence: number): ProducerModel =>
      new ProducerModel({ id, log, firstSequence, invariants });
    this.producers = [
      producer(1000, first, 0),
      // Its sequences wrap, and those of the last one.
      producer(1001, first, 0x7fff_fffc),
      producer(1002, second, 0),
      producer(1003, second, 0x7fff_fff6),
    ];
    this.followers = this.logs.map((log, index) => new Follower(log, index));
    const { logs, followers, readers } = this;
    const observe = (process: Process): void => this.observe(process);
    this.#ownership = new Ownership({ world, size, logs, followers, readers, observe });
    this.#appends = new Appends({ world, logs, watch: (promise) => this.watch(promise) });
  }

  /** Makes the logs. */
  begin(): Promise<void> {
    return this.#ownership.begin();
  }

  /** The process that has the logs, working or failed; undefined: nobody. */
  get current(): Process | undefined {
    return this.#ownership.current;
  }

  /** Processes that go on without the logs. */
  get ghosts(): readonly Process[] {
    return this.#ownership.ghosts;
  }

  /** The process that has the logs: opened where there is none, or none that works. */
  live(): Promise<Process> {
    return this.#ownership.live();
  }

  /** Opens one more process, which takes the logs from whoever has them. Whether it has them. */
  open(meanwhile?: () => Promise<void>): Promise<boolean> {
    return this.#ownership.open(meanwhile);
  }

  /** Opens two at once: one has the logs in the end, or none. */
  race(): Promise<void> {
    return this.#ownership.race();
  }

  /** A log is closed and opened again: everything that was taken is there, and goes on. */
  reopen(process: Process, index: number, meanwhile?: () => Promise<void>): Promise<void> {
    return this.#ownership.reopen(process, index, meanwhile);
  }

  /** Appends by a process, and keeps what is known of it; undefined: refused. */
  append(process: Process, index: number, draft: Draft): Sent | undefined {
    return this.#appends.append(process, index, draft);
  }

  /** What it rejects with is a defect, found by the next `check`. */
  watch(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** One more reader begins, unless there are many. */
  catchUp(
    process: Process,
    options: {
      readonly index: number;
      readonly from: number;
      readonly end: number;
      readonly habits: Habits;
    },
  ): void {
    if (this.readers.length >= READERS_MAX) return;
    const log = this.logs[options.index] as LogModel;
    const reader = new CatchUpReader({ ...options, world: this.world, log });
    this.readers.push(reader);
    reader.follow(process);
  }

  /** A number that was not used before. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  gotProducerId(id: number): void {
    this.world.invariants.check("IP5", !this.#producerIds.has(id), `${id} was given twice`);
    this.#producerIds.add(id);
  }

  /** After each step: nobody has found anything wrong, nobody says anything wrong. */
  check(): void {
    this.world.invariants.rethrow();
    if (this.#failure !== undefined) throw this.#failure as Error;
    for (const reader of [...this.followers, ...this.readers]) reader.check();
    // In place: others have the array too.
    for (const reader of this.readers.splice(0)) if (!reader.isDone) this.readers.push(reader);
    const { current } = this;
    // Only who was succeeded is fenced.
    if (isKarstError(current?.failure, "fenced") && this.world.starts === current?.number)
      throw current.failure;
    for (const process of [current, ...this.ghosts])
      if (process !== undefined) this.observe(process);
  }

  /** Takes note of what a process says is durable. */
  observe(process: Process): void {
    for (const [index, model] of this.logs.entries()) {
      const log = process.log(index);
      process.observe(model, log);
      if (!process.isFenced) model.checkTrimmed(log);
    }
  }
}
