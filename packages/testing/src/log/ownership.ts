import assert from "node:assert/strict";
import { counterRow, objectRow, streamOwnerRow } from "@karst/core";
import { isKarstError, randomId } from "@karst/runtime";
import type { Surroundings } from "../world/machine.ts";
import type { Outcome } from "../world/outcome.ts";
import { WalWatch } from "../world/wal-watch.ts";
import type { World } from "../world/world.ts";
import type { CatchUpReader } from "./catch-up-reader.ts";
import type { Follower } from "./follower.ts";
import type { Size } from "./limits.ts";
import type { LogModel } from "./log-model.ts";
import { type LogIds, openProcess, type Process } from "./process.ts";
import { survey } from "./survey.ts";

const TOPIC = "orders";
const PARTITIONS = 2;
/** Openings that may fail before faults are made to stop, and before that is a defect. */
const TRIES_UNHEALED = 5;
const TRIES_MAX = 12;
/** Older processes that go on at the same time. */
const GHOSTS_MAX = 2;

/**
 * Who has the logs: one process after another, each of which is looked over before anybody uses it.
 *
 * Invariant: `#owner` is the process that was adopted last; those before it are fenced.
 */
export class Ownership {
  readonly #world: World;
  readonly #size: Size;
  readonly #logs: readonly LogModel[];
  readonly #followers: readonly Follower[];
  readonly #readers: readonly CatchUpReader[];
  readonly #observe: (process: Process) => void;
  readonly #watch: WalWatch;
  /** Processes that have lost the logs, and may not know. */
  #ghosts: Process[] = [];
  /** That has the logs, or had them last. */
  #owner: Process | undefined;
  #ids: LogIds | undefined;
  #recoveredFrames = 0;

  /** @param options.observe takes note of what a process says before it loses the logs. */
  constructor(options: {
    readonly world: World;
    readonly size: Size;
    readonly logs: readonly LogModel[];
    readonly followers: readonly Follower[];
    /** They come and go. */
    readonly readers: readonly CatchUpReader[];
    readonly observe: (process: Process) => void;
  }) {
    this.#world = options.world;
    this.#size = options.size;
    this.#logs = options.logs;
    this.#followers = options.followers;
    this.#readers = options.readers;
    this.#observe = options.observe;
    const { machine, invariants, sometimes } = options.world;
    this.#watch = new WalWatch(machine, invariants, sometimes);
  }

  /** Makes the logs. */
  async begin(): Promise<void> {
    const surroundings = this.#world.machine.surroundings();
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
    assert.equal((await this.#world.until(life, make())).tag, "ok");
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
      this.#world.invariants.check("W12", tries < TRIES_MAX, "no engine opens");
      if (tries >= TRIES_UNHEALED) this.#world.heal();
      if (current !== undefined) await this.#discard(current);
      await this.open();
    }
  }

  /** Lets a failed process go: all its appends are settled. */
  async #discard(process: Process): Promise<void> {
    this.#world.sometimes.add("engine-failed");
    await this.#world.clock.runDeferred();
    this.#world.invariants.check(
      "W12",
      process.pending === 0,
      "the engine failed, and an append still waits",
    );
    await this.#world.until(process.life, process.engine.abandon());
    process.life.end();
  }

  /** A log is closed and opened again: everything that was taken is there, and goes on. */
  async reopen(
    process: Process,
    index: number,
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const { logEndOffset, logStartOffset } = process.log(index);
    const reopening = process.reopen(index);
    reopening.catch(() => undefined);
    await meanwhile();
    const outcome = await this.#world.until(process.life, reopening);
    this.#world.note(`reopen ${outcome.tag}`);
    if (outcome.tag === "failed" && !isKarstError(outcome.error, "unavailable", "closed", "fenced"))
      throw outcome.error;
    if (outcome.tag !== "ok") {
      // With a log missing it is of no use to anybody.
      await this.#world.until(process.life, process.engine.abandon());
      process.life.end();
      return;
    }
    const again = process.log(index);
    this.#world.invariants.check(
      "P7",
      again.logEndOffset === logEndOffset && again.logStartOffset >= logStartOffset,
      () =>
        `log ${index} was [${logStartOffset}, ${logEndOffset}), and is opened as [${again.logStartOffset}, ${again.logEndOffset})`,
    );
    if (index === 0) this.#checkDigest(process);
    this.#followers[index]?.follow(process);
    for (const reader of this.#readers) if (reader.index === index) reader.follow(process);
    this.#world.sometimes.add("log-reopened");
  }

  /** Opens one more process, which takes the logs from whoever has them. Whether it has them. */
  async open(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<boolean> {
    const surroundings = this.#world.machine.surroundings();
    const opening = this.#opening(surroundings, this.#ids);
    opening.catch(() => undefined);
    await meanwhile();
    const outcome = await this.#world.until(surroundings.life, opening);
    if (outcome.tag !== "ok") surroundings.life.end();
    return this.#adopt(outcome);
  }

  /** Opens two at once: one has the logs in the end, or none. */
  async race(): Promise<void> {
    const outcomes: Outcome<Process>[] = [];
    const racers = [this.#world.machine.surroundings(), this.#world.machine.surroundings()];
    const openings = racers.map((one) => this.#opening(one, this.#ids));
    for (const opening of openings) opening.catch(() => undefined);
    for (const [i, { life }] of racers.entries()) {
      const outcome = await this.#world.until(life, openings[i] as Promise<Process>);
      if (outcome.tag !== "ok") life.end();
      outcomes.push(outcome);
    }
    this.#world.sometimes.add("race");
    // The one with the greater epoch has fenced the other.
    for (const outcome of outcomes.toSorted((a, b) => epochOf(a) - epochOf(b))) {
      await this.#adopt(outcome);
    }
  }

  #opening(surroundings: Surroundings, ids: LogIds | undefined): Promise<Process> {
    const { unuploadedBytesMax = Infinity } = this.#size.limits;
    const watched = this.#watch.process(surroundings, unuploadedBytesMax);
    return openProcess(watched.surroundings, this.#size, ids, watched.watch);
  }

  /** Takes over what an opening came to. */
  async #adopt(outcome: Outcome<Process>): Promise<boolean> {
    const { sometimes } = this.#world;
    this.#world.note(
      `open ${outcome.tag} ${outcome.tag === "failed" ? codeOf(outcome.error) : ""}`,
    );
    if (outcome.tag === "died") sometimes.add("recovery-crashed");
    if (outcome.tag === "failed") checkOpenError(outcome.error);
    if (outcome.tag !== "ok") return false;
    const process = outcome.value;
    const before = this.#owner;
    if (before !== undefined) {
      this.#observe(before);
      before.isFenced = true;
      this.#ghosts = [...this.ghosts, before];
      for (const old of this.#ghosts.splice(0, Math.max(0, this.#ghosts.length - GHOSTS_MAX)))
        old.life.end();
    }
    if (!(await survey(this.#world, this.#logs, process, before?.attempts ?? []))) {
      process.life.end();
      return false;
    }
    this.#checkDigest(process);
    this.#countRecovery(process);
    this.#owner = process;
    for (const reader of [...this.#followers, ...this.#readers]) reader.follow(process);
    return true;
  }

  #checkDigest(process: Process): void {
    const { digest } = this.#logs[0] as LogModel;
    this.#world.invariants.check(
      "P7",
      process.digest === digest,
      () => `the stream's state is ${process.digest}, not ${digest}`,
    );
  }

  #countRecovery(process: Process): void {
    const recovered = this.#world.metrics.value("karst_recovered_frames_total");
    if (recovered > this.#recoveredFrames) {
      const [object] = objectRow.scan(process.engine.catalogue);
      this.#world.sometimes.add(
        object === undefined ? "recovery-from-wal" : "recovery-from-objects-and-wal",
      );
    }
    this.#recoveredFrames = recovered;
  }
}

/** 0: it did not come to that. */
function epochOf(outcome: Outcome<Process>): number {
  return outcome.tag === "ok" ? outcome.value.nodeEpoch : 0;
}

function codeOf(error: unknown): string {
  return isKarstError(error) ? error.code : String(error);
}

/** Whatever else an opening rejects with is a defect. */
function checkOpenError(error: unknown): void {
  if (isKarstError(error, "unavailable", "indeterminate", "closed", "fenced", "conflict")) return;
  throw error as Error;
}
