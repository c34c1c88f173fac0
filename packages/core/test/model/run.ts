import assert from "node:assert/strict";
import { counterRow, nodeRow, objectRow, streamOwnerRow } from "@karst/core";
import { isKarstError, randomId } from "@karst/runtime";
import { Follower } from "./follower.ts";
import { LogModel } from "./log-model.ts";
import { type Draft, digestOf } from "./open-log.ts";
import { type LogIds, openProcess, type Process } from "./process.ts";
import { ProducerModel, type Sent } from "./producer-model.ts";
import { survey } from "./survey.ts";
import { type Outcome, World, type WorldOptions } from "./world.ts";

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
  readonly #producerIds = new Set<number>();
  /** What was found wrong while nobody waited for it. */
  #failure: unknown;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    this.logs = [new LogModel("s", true), new LogModel("p0", false), new LogModel("p1", false)];
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
    const surroundings = this.world.surroundings();
    const { life } = surroundings;
    const streamId = 0;
    const make = async (): Promise<void> => {
      const { engine, topics } = await openProcess(surroundings, undefined);
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
      assert.ok(tries < TRIES_MAX, "no engine opens");
      if (tries >= TRIES_UNHEALED) this.world.heal();
      if (current !== undefined) await this.discard(current);
      await this.open();
    }
  }

  /** Lets a failed process go: all its appends are settled. */
  async discard(process: Process): Promise<void> {
    this.world.crossings.add("engine-failed");
    await this.world.clock.runDeferred();
    assert.equal(process.pending, 0, "the engine failed, and an append still waits");
    await this.world.until(process.life, process.engine.abandon());
    process.life.end();
  }

  /** Opens one more process, which takes the logs from whoever has them. Whether it has them. */
  async open(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<boolean> {
    const surroundings = this.world.surroundings();
    const opening = openProcess(surroundings, this.#ids);
    opening.catch(() => undefined);
    await meanwhile();
    const outcome = await this.world.until(surroundings.life, opening);
    if (outcome.tag !== "ok") surroundings.life.end();
    return this.#adopt(outcome);
  }

  /** Opens two at once: one has the logs in the end, or none. */
  async race(): Promise<void> {
    const outcomes: Outcome<Process>[] = [];
    const racers = [this.world.surroundings(), this.world.surroundings()];
    const openings = racers.map((one) => openProcess(one, this.#ids));
    for (const opening of openings) opening.catch(() => undefined);
    for (const [i, { life }] of racers.entries()) {
      const outcome = await this.world.until(life, openings[i] as Promise<Process>);
      if (outcome.tag !== "ok") life.end();
      outcomes.push(outcome);
    }
    this.world.crossings.add("race");
    // The one with the greater epoch has fenced the other.
    for (const outcome of outcomes.toSorted((a, b) => epochOf(a) - epochOf(b))) {
      await this.#adopt(outcome);
    }
  }

  /** Appends by a process, and keeps what is known of it; undefined: refused. */
  append(process: Process, index: number, draft: Draft): Sent | undefined {
    const model = this.logs[index] as LogModel;
    try {
      const taken = process.log(index).append(draft);
      if (taken.duplicate) {
        this.world.crossings.add("duplicate-answered");
        return { taken, attempt: undefined };
      }
      const attempt = model.taken(draft, taken, process.isFenced);
      process.attempts.push(attempt);
      this.#await(process, process.attempts.length, taken.durable);
      return { taken, attempt };
    } catch (error) {
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
    assert.ok(!this.#producerIds.has(id), `producer id ${id} was given twice`);
    this.#producerIds.add(id);
  }

  /** After each step: nobody has found anything wrong, nobody says anything wrong. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
    for (const follower of this.followers) follower.check();
    for (const process of [this.current, ...this.ghosts])
      if (process !== undefined) this.observe(process);
  }

  /** Takes note of what a process says is durable. */
  observe(process: Process): void {
    for (const [index, model] of this.logs.entries())
      model.observe(process.log(index), process.attempts);
  }

  /** Takes over what an opening came to. */
  async #adopt(outcome: Outcome<Process>): Promise<boolean> {
    const { crossings } = this.world;
    this.world.note(`open ${outcome.tag} ${outcome.tag === "failed" ? codeOf(outcome.error) : ""}`);
    if (outcome.tag === "died") crossings.add("recovery-crashed");
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
    assert.equal(
      process.digest.value,
      digestOf(this.logs[0].facts),
      "the stream's state is not as of its end",
    );
    this.#countRecovery(process);
    this.#owner = process;
    for (const follower of this.followers) follower.follow(process);
    return true;
  }

  #await(process: Process, order: number, durable: Promise<void>): void {
    const attempt = process.attempts[order - 1];
    assert.ok(attempt !== undefined);
    process.pending += 1;
    const settled = durable.then(
      () => {
        process.pending -= 1;
        this.world.note(`acknowledged ${attempt.id} ${attempt.baseOffset}`);
        // And with it all that was appended before it.
        for (const earlier of process.attempts.slice(0, order)) earlier.log.settle(earlier);
      },
      (error: unknown) => {
        process.pending -= 1;
        this.world.note(`unknown ${attempt.id} ${attempt.baseOffset}`);
        assert.ok(isKarstError(error, "indeterminate"), String(error));
        this.world.crossings.add(process.isFenced ? "zombie-fenced" : "append-unknown");
      },
    );
    process.settled = settled;
    this.watch(settled);
  }

  #refused(process: Process, error: unknown): void {
    const { crossings } = this.world;
    if (!isKarstError(error, "unavailable", "closed", "fenced")) throw error;
    this.world.note(`refused ${error.code}`);
    crossings.add("append-refused");
    if (error.code === "UPLOAD_BACKLOG_FULL") crossings.add("backlog-refused");
    if (error.code === "WAL_FULL") crossings.add("disk-full-refused");
    if (process.isFenced) crossings.add("zombie-refused");
    if (error.kind !== "unavailable")
      assert.ok(process.failure !== undefined || process.isFenced, String(error));
  }

  #countRecovery(process: Process): void {
    const recovered = this.world.metrics.value("karst_recovered_frames_total");
    if (recovered > this.#recoveredFrames) {
      const [object] = objectRow.scan(process.engine.catalogue);
      this.world.crossings.add(
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
