import assert from "node:assert/strict";
import type { Machine, Surroundings } from "../world/machine.ts";
import type { Outcome } from "../world/outcome.ts";
import { WalWatch } from "../world/wal-watch.ts";
import { World, type WorldOptions } from "../world/world.ts";
import { counterRow, nodeRow, objectRow, streamOwnerRow } from "@karst/core";
import { hasCode, isKarstError, randomId } from "@karst/runtime";
import { Follower } from "./follower.ts";
import { type Size, TINY } from "./limits.ts";
import { LogModel } from "./log-model.ts";
import type { Draft, OpenLog } from "./open-log.ts";
import { type LogIds, openProcess, type Process } from "./process.ts";
import { ProducerModel, type Sent } from "./producer-model.ts";
import { survey } from "./survey.ts";

const TOPIC = "orders";
const PARTITIONS = 2;
/** Openings that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 5;
const TRIES_MAX = 12;
/** Older processes that go on at the same time. */
const GHOSTS_MAX = 2;

/** One process after another over one world, against models of what they must show. Whatever goes wrong throws. */
export class Run {
  readonly world: World;
  readonly machine: Machine;
  readonly size: Size;
  /** Of each object, requests still to be left alone: a reader that is answered wrongly twice in a row must take it for corrupt. */
  readonly unspoiled: Map<string, number> = new Map();
  /** A stream, and two partitions. */
  readonly logs: readonly [LogModel, LogModel, LogModel];
  readonly producers: readonly ProducerModel[];
  readonly followers: readonly Follower[];
  /** Processes that have lost the logs, and may not know. */
  #ghosts: Process[] = [];
  /** That has the logs, or had them last. */
  #owner: Process | undefined;
  #ids: LogIds | undefined;
  #serial = 0;
  #recoveredFrames = 0;
  readonly #watch: WalWatch;
  readonly #producerIds = new Set<number>();
  /** What was found wrong while nobody waited for it. */
  #failure: unknown;

  constructor(options: WorldOptions, size: Size = TINY) {
    this.size = size;
    this.world = new World(options);
    this.machine = this.world.machine;
    const { invariants, sometimes } = this.world;
    this.#watch = new WalWatch(this.machine, invariants, sometimes);
    this.logs = [
      new LogModel("s", true, invariants),
      new LogModel("p0", false, invariants),
      new LogModel("p1", false, invariants),
    ];
    const [, first, second] = this.logs;
    this.producers = [
      new ProducerModel(1000, first, 0),
      // Its sequences wrap.
      new ProducerModel(1001, first, 0x7fff_fffc),
      new ProducerModel(1002, second, 0),
    ];
    this.followers = this.logs.map((log, index) => new Follower(log, index));
  }

  /** Makes the logs. */
  async begin(): Promise<void> {
    const surroundings = this.machine.surroundings();
    const { life } = surroundings;
    const streamId = 0;
    const make = async (): Promise<void> => {
      const { engine, topics } = await this.#opening(surroundings, undefined);
      const outcome = await engine.catalogue.commit({
        id: randomId(engine.runtime.random),
        require: [],
        put: [
          counterRow.put("streams", { next: streamId + 1 }),
          streamOwnerRow.put(streamId, { nodeId: undefined, streamEpoch: 0 }),
        ],
        delete: [],
      });
      assert.equal(outcome.tag, "ok");
      await topics.create({ name: TOPIC, partitions: PARTITIONS });
      await engine.abandon();
    };
    assert.equal((await this.world.until(life, make())).tag, "ok");
    this.#ids = { streamId, topic: TOPIC, partitions: PARTITIONS };
    await this.live();
  }

  /** That has the logs, working or failed; undefined: nobody. */
  get current(): Process | undefined {
    const owner = this.#owner;
    return owner === undefined || owner.isFenced || owner.life.isOver ? undefined : owner;
  }

  /** Processes that go on without the logs. */
  get ghosts(): readonly Process[] {
    return this.#ghosts.filter((ghost) => !ghost.life.isOver);
  }

  /** The process that has the logs: opened where there is none, or none that works. */
  async live(): Promise<Process> {
    for (let tries = 0; ; tries += 1) {
      const { current } = this;
      if (current !== undefined && current.failure === undefined) return current;
      this.world.invariants.check("W12", tries < TRIES_MAX, "no engine opens");
      if (tries >= TRIES_UNHEALED) this.world.heal();
      if (current !== undefined) await this.discard(current);
      await this.open();
    }
  }

  /** Lets a failed process go: all its appends are settled. */
  async discard(process: Process): Promise<void> {
    this.world.sometimes.add("engine-failed");
    await this.world.clock.runDeferred();
    this.world.invariants.check(
      "W12",
      process.pending === 0,
      "the engine failed, and an append still waits",
    );
    await this.world.until(process.life, process.engine.abandon());
    process.life.end();
  }

  /** A log is closed and opened again: everything that was taken is there, and goes on. */
  async reopen(process: Process, index: number): Promise<void> {
    const { logEndOffset, logStartOffset } = process.log(index);
    const outcome = await this.world.until(process.life, process.reopen(index));
    this.world.note(`reopen ${outcome.tag}`);
    if (outcome.tag === "failed" && !isKarstError(outcome.error, "unavailable", "closed", "fenced"))
      throw outcome.error;
    if (outcome.tag !== "ok") {
      // With a log missing it is of no use to anybody.
      await this.world.until(process.life, process.engine.abandon());
      process.life.end();
      return;
    }
    const again = process.log(index);
    this.world.invariants.check(
      "P7",
      again.logEndOffset === logEndOffset && again.logStartOffset >= logStartOffset,
      () =>
        `log ${index} was [${logStartOffset}, ${logEndOffset}), and is opened as [${again.logStartOffset}, ${again.logEndOffset})`,
    );
    if (index === 0) this.#checkDigest(process);
    this.followers[index]?.follow(process);
    this.world.sometimes.add("log-reopened");
  }

  /** Opens one more process, which takes the logs from whoever has them. Whether it has them. */
  async open(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<boolean> {
    const surroundings = this.machine.surroundings();
    const opening = this.#opening(surroundings, this.#ids);
    opening.catch(() => undefined);
    await meanwhile();
    const outcome = await this.world.until(surroundings.life, opening);
    if (outcome.tag !== "ok") surroundings.life.end();
    return this.#adopt(outcome);
  }

  /** Opens two at once: one has the logs in the end, or none. */
  async race(): Promise<void> {
    const outcomes: Outcome<Process>[] = [];
    const racers = [this.machine.surroundings(), this.machine.surroundings()];
    const openings = racers.map((one) => this.#opening(one, this.#ids));
    for (const opening of openings) opening.catch(() => undefined);
    for (const [i, { life }] of racers.entries()) {
      const outcome = await this.world.until(life, openings[i] as Promise<Process>);
      if (outcome.tag !== "ok") life.end();
      outcomes.push(outcome);
    }
    this.world.sometimes.add("race");
    // The one with the greater epoch has fenced the other.
    for (const outcome of outcomes.toSorted((a, b) => epochOf(a) - epochOf(b))) {
      await this.#adopt(outcome);
    }
  }

  /** Appends by a process, and keeps what is known of it; undefined: refused. */
  append(process: Process, index: number, draft: Draft): Sent | undefined {
    const model = this.logs[index] as LogModel;
    const { id, count, ifOffset } = draft;
    model.history?.begin(process.number, id, count, ifOffset);
    try {
      const taken = process.log(index).append(draft);
      if (taken.duplicate) {
        this.world.sometimes.add("duplicate-answered");
        const answered = taken.durable.then(() => model.history?.acknowledged(id, taken));
        answered.catch(() => undefined);
        return { taken, attempt: undefined };
      }
      const attempt = model.taken(draft, taken, process.isFenced);
      this.#await(process, process.add(attempt), taken.durable);
      return { taken, attempt };
    } catch (error) {
      if (hasCode(error, "OFFSET_CONDITION_FAILED")) {
        this.#conflicted(process, process.log(index), model, id);
        return undefined;
      }
      this.#refused(process, error);
      if (!process.isFenced) model.raised(process.log(index).logEndOffset);
      return undefined;
    }
  }

  /** What it rejects with is a defect, found by the next `check`. */
  watch(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      this.#failure ??= error;
    });
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
    for (const follower of this.followers) follower.check();
    const { current } = this;
    // Only who was succeeded is fenced.
    if (isKarstError(current?.failure, "fenced") && this.world.starts === current?.number)
      throw current.failure;
    for (const process of [current, ...this.ghosts])
      if (process !== undefined) this.observe(process);
  }

  /** Takes note of what a process says is durable. */
  observe(process: Process): void {
    for (const [index, model] of this.logs.entries()) process.observe(model, process.log(index));
  }

  #opening(surroundings: Surroundings, ids: LogIds | undefined): Promise<Process> {
    const { size } = this;
    const { unuploadedBytesMax = Infinity } = size.limits;
    const watched = this.#watch.process(surroundings, unuploadedBytesMax);
    return openProcess(watched.surroundings, size, ids, watched.watch);
  }

  /** Takes over what an opening came to. */
  async #adopt(outcome: Outcome<Process>): Promise<boolean> {
    const { sometimes } = this.world;
    this.world.note(`open ${outcome.tag} ${outcome.tag === "failed" ? codeOf(outcome.error) : ""}`);
    if (outcome.tag === "died") sometimes.add("recovery-crashed");
    if (outcome.tag === "failed") checkOpenError(outcome.error);
    if (outcome.tag !== "ok") return false;
    const process = outcome.value;
    const before = this.#owner;
    if (before !== undefined) {
      this.observe(before);
      before.isFenced = true;
      this.#ghosts = [...this.ghosts, before];
      for (const old of this.#ghosts.splice(0, Math.max(0, this.#ghosts.length - GHOSTS_MAX)))
        old.life.end();
    }
    if (!(await survey(this.world, this.logs, process, before?.attempts ?? []))) {
      process.life.end();
      return false;
    }
    this.#checkDigest(process);
    this.#countRecovery(process);
    this.#owner = process;
    for (const follower of this.followers) follower.follow(process);
    return true;
  }

  #checkDigest(process: Process): void {
    this.world.invariants.check(
      "P7",
      process.digest === this.logs[0].digest,
      () => `the stream's state is ${process.digest}, not ${this.logs[0].digest}`,
    );
  }

  #await(process: Process, order: number, durable: Promise<void>): void {
    const attempt = process.attempts[order - 1];
    assert.ok(attempt !== undefined);
    process.pending += 1;
    const settled = durable.then(
      () => {
        process.pending -= 1;
        this.world.tally.acknowledged += 1;
        this.world.tally.checked += 1;
        this.world.note(`acknowledged ${attempt.id} ${attempt.baseOffset}`);
        attempt.log.history?.acknowledged(attempt.id, attempt);
        // And with it all that was appended before it.
        process.settleUpTo(order);
      },
      (error: unknown) => {
        process.pending -= 1;
        this.world.tally.checked += 1;
        this.world.note(`unknown ${attempt.id} ${attempt.baseOffset}`);
        assert.ok(isKarstError(error, "indeterminate"), String(error));
        this.world.sometimes.add(process.isFenced ? "zombie-fenced" : "append-unknown");
      },
    );
    process.settled = settled;
    this.watch(settled);
  }

  /** Known for certain once what it was compared with is durable, if that comes to pass. */
  #conflicted(process: Process, log: OpenLog, model: LogModel, id: string): void {
    const { logEndOffset } = log;
    this.world.sometimes.add("condition-failed");
    this.world.note(`conflict ${id} ${logEndOffset}`);
    process.settled.then(
      () => {
        if (log.highWatermark >= logEndOffset) model.history?.conflict(id, logEndOffset);
      },
      () => undefined,
    );
  }

  #refused(process: Process, error: unknown): void {
    const { sometimes } = this.world;
    if (!isKarstError(error, "unavailable", "closed", "fenced")) throw error;
    this.world.tally.checked += 1;
    this.world.note(`refused ${error.code}`);
    sometimes.add("append-refused");
    if (error.code === "UPLOAD_BACKLOG_FULL") sometimes.add("backlog-refused");
    if (error.code === "WAL_FULL") sometimes.add("disk-full-refused");
    if (process.isFenced) sometimes.add("zombie-refused");
    if (error.kind !== "unavailable")
      assert.ok(process.failure !== undefined || process.isFenced, String(error));
  }

  #countRecovery(process: Process): void {
    const recovered = this.world.metrics.value("karst_recovered_frames_total");
    if (recovered > this.#recoveredFrames) {
      const [object] = objectRow.scan(process.engine.catalogue);
      this.world.sometimes.add(
        object === undefined ? "recovery-from-wal" : "recovery-from-objects-and-wal",
      );
    }
    this.#recoveredFrames = recovered;
  }
}

/** Of the node's record as the process wrote it; 0: it did not come to that. */
function epochOf(outcome: Outcome<Process>): number {
  if (outcome.tag !== "ok") return 0;
  const { catalogue, nodeId } = outcome.value.engine;
  return nodeRow.get(catalogue, nodeId)?.value.epoch ?? 0;
}

function codeOf(error: unknown): string {
  return isKarstError(error) ? error.code : String(error);
}

/** Whatever else an opening rejects with is a defect. */
function checkOpenError(error: unknown): void {
  if (isKarstError(error, "unavailable", "indeterminate", "closed", "fenced", "conflict")) return;
  throw error as Error;
}
