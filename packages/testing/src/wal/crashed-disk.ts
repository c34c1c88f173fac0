import { type MemoryBudget, runtimeError, type SlabPool } from "@karst/runtime";
import type { CrashKeep, SimulatedDisk } from "@karst/runtime/testing";
import type { Wal, WalLimits, WalListener, WalPosition } from "@karst/wal";
import type { Invariants } from "../world/invariants.ts";
import type { Sometimes } from "../world/sometimes.ts";
import { damage } from "./damage.ts";
import { frameOf } from "./frames.ts";
import { checkFound, deviation, type Entry, type Expectation, History } from "./history.ts";
import { InstantClock, stepAtOnce } from "./instant-clock.ts";
import { type Opening, openWal } from "./open-wal.ts";
import type { QuickRandom } from "./quick-random.ts";
import { HARMS, labelOf } from "./swarm.ts";

export interface CrashedDiskOptions {
  readonly disk: SimulatedDisk;
  readonly expected: Expectation;
  readonly random: QuickRandom;
  readonly where: string;
  readonly limits: Partial<WalLimits>;
  readonly invariants: Invariants;
  readonly sometimes: Sometimes;
  /** Whoever ends gives everything back, which is checked. */
  readonly budget: MemoryBudget;
  readonly slabs: SlabPool;
  readonly isNew: (disk: SimulatedDisk) => boolean;
}

/** Numbers of frames that only checks append: above any run's. */
const FIRST_ID = 1_000_000;

/** More operations than most openings make: some are cut short, some are not. */
const OPENING_OPERATIONS = 200;

const QUIET: WalListener = { durable: () => undefined, failed: () => undefined };

/** One disk after a crash: opened, opened again after openings that were cut short or met faults, used, and damaged. */
export class CrashedDisk {
  readonly #options: CrashedDiskOptions;
  readonly #invariants: Invariants;
  readonly #clock = new InstantClock();
  #expected: Expectation;
  checkedFrames = 0;

  constructor(options: CrashedDiskOptions) {
    this.#options = options;
    this.#invariants = options.invariants;
    this.#expected = options.expected;
  }

  async check(): Promise<void> {
    const { random } = this.#options;
    const way = random.integer(0, 99);
    if (way < 25) await this.#interrupted();
    else if (way < 40) await this.#harmed();
    const opened = await this.#opened(this.#options.disk);
    await this.#servesOnlyDurable(opened);
    const then = random.integer(0, 99);
    if (then < 25) await this.#used();
    else if (then < 40) await this.#damaged();
  }

  /** Openings that a crash cuts short, up to three in a row. */
  async #interrupted(): Promise<void> {
    const { disk, random, sometimes } = this.#options;
    // Nothing is in a cache only: recovery is a function of the disk.
    const settled = disk.pendingNames === 0 && random.chance(30);
    let first: readonly Entry[] | undefined;
    if (settled) {
      const copy = disk.clone(random.fork("copy"));
      copy.crash({ keep: "all" });
      disk.crash({ keep: "all" });
      first = await this.#opened(copy);
    }
    for (let left = random.integer(1, 3); left > 0; left -= 1) {
      let operations = random.integer(1, OPENING_OPERATIONS);
      const power = random.chance(70);
      const keep: CrashKeep = random.pick(["random", "random", "synced", "all"]);
      let ended = false;
      disk.onOperation = () => {
        operations -= 1;
        if (operations !== 0) return;
        ended = true;
        if (power) disk.crash({ keep });
        else disk.kill();
      };
      const opening = await this.#open(disk);
      disk.onOperation = undefined;
      if (opening.tag === "opened") {
        this.#compare(opening.found);
        await this.#abandon(opening.wal);
        if (!ended) this.#expected = new History(opening.found).expect(this.#expected.trim);
      }
      sometimes.add(
        ended ? `recovery cut short by ${power ? "power" : "kill"}` : "recovery not cut short",
      );
      if (!ended) {
        if (power) disk.crash({ keep });
        else disk.kill();
      }
      if (power && !this.#options.isNew(disk)) break;
    }
    if (first !== undefined) {
      const again = await this.#opened(disk);
      const ids = (entries: readonly Entry[]): string => entries.map(({ id }) => id).join(" ");
      this.#invariants.check(
        "W4",
        ids(again) === ids(first),
        () =>
          `${this.#options.where}: recovery found ${ids(first)}, and after crashes ${ids(again)}`,
      );
    }
  }

  /** An opening on a disk that fails now and then: it comes to the right end, or to none. */
  async #harmed(): Promise<void> {
    const { disk, random, sometimes } = this.#options;
    const harm = random.pick(HARMS);
    const after = random.integer(0, 6);
    if (harm.effect === "after") {
      let left = after;
      disk.onOperation = (event) => {
        if (event.phase !== "after" || event.operation !== harm.on || event.error !== undefined)
          return;
        left -= 1;
        if (left === -1)
          throw runtimeError("IO_ERROR", `${harm.on} of ${event.path} failed after it was done`);
      };
    } else disk.fault({ on: harm.on, effect: harm.effect, after });
    const opening = await this.#open(disk);
    sometimes.add(`recovery met ${labelOf(harm)}`);
    if (opening.tag === "opened") {
      this.#compare(opening.found);
      // A fault may have hit what only tidies up.
      this.#expected = new History(opening.found).expect(this.#expected.trim);
      await this.#abandon(opening.wal);
    } else sometimes.add("harmed recovery refused");
    disk.onOperation = undefined;
    disk.clearFaults();
    if (random.chance(50)) disk.kill();
    else {
      disk.crash({ keep: random.pick(["random", "synced", "all"]) });
      this.#options.isNew(disk);
    }
  }

  /** What an opening has handed over survives the crash that comes right after. */
  async #servesOnlyDurable(found: readonly Entry[]): Promise<void> {
    const { disk, random, where } = this.#options;
    if (random.chance(50)) return;
    disk.crash({ keep: random.chance(70) ? "synced" : "random" });
    if (!this.#options.isNew(disk)) return;
    this.#expected = new History(found).expect(this.#expected.trim);
    const again = await this.#open(disk);
    this.#invariants.check(
      "W7",
      again.tag === "opened" && deviation(idsOf(again.found), this.#expected) === undefined,
      () =>
        `${where}: served ${idsOf(found).join(" ")}, and after a crash ${again.tag === "opened" ? idsOf(again.found).join(" ") : again.error.message}`,
    );
    this.#expected = new History(again.found).expect(this.#expected.trim);
    await this.#abandon(again.wal);
  }

  /** The log goes on: appends, trims, rolls, and a clean end. */
  async #used(): Promise<void> {
    const { disk, random, sometimes, where } = this.#options;
    let reported = 0;
    const opening = await this.#open(disk, {
      durable: (position) => {
        reported = position;
      },
      failed: (error) => {
        this.#invariants.check(
          "W12",
          false,
          `${where}: a healthy WAL has failed: ${error.message}`,
        );
      },
    });
    const opened = this.#mustOpen(opening);
    const { wal } = opened;
    const history = new History(opened.found);
    let trim = this.#expected.trim;
    const rounds = random.integer(1, 8);
    for (let round = 0; round < rounds; round += 1) {
      for (let n = random.integer(1, 3); n > 0; n -= 1) {
        const id = FIRST_ID + history.entries.length;
        const { start, end, slab } = wal.append(frameOf(id, random.integer(0, 150)));
        slab.release();
        history.entries.push({ id, start, end });
      }
      await wal.flush();
      this.#invariants.check(
        "W12",
        reported === wal.endPosition,
        `${where}: flushed, and not reported`,
      );
      if (random.chance(60)) {
        trim = wal.endPosition;
        history.entries.length = 0;
        await wal.trim(trim);
      }
    }
    history.durable = history.entries.length;
    if (random.chance(50)) {
      await wal.close();
      sometimes.add("closed after recovery");
    } else await wal.abandon();
    this.#clock.clear();
    this.#expectReleased();
    disk.crash({ keep: random.chance(50) ? "synced" : "random" });
    this.#expected = history.expect(trim);
    if (this.#options.isNew(disk)) await this.#opened(disk);
  }

  /** After a clean end nothing can be taken for a torn tail. */
  async #damaged(): Promise<void> {
    const { disk, random, sometimes, where } = this.#options;
    const { wal, found } = this.#mustOpen(await this.#open(disk));
    await wal.close();
    this.#clock.clear();
    this.#expected = new History(found).expect(this.#expected.trim);
    disk.crash({ keep: "synced" });
    const what = damage(disk, random);
    if (what === undefined) return;
    sometimes.add(`damage ${what.kind}`);
    if (!this.#options.isNew(disk)) return;
    const before = contentOf(disk);
    const opening = await this.#open(disk);
    if (opening.tag === "opened") {
      const why = deviation(idsOf(opening.found), this.#expected);
      // Of a last group and its watermark, both gone at once, nothing tells.
      const untold = why?.id === "W1" && (what.kind === "garbage" || what.kind === "duplicate");
      this.#invariants.check(
        "W5",
        why === undefined || untold,
        () => `${where}: ${what.text} was not noticed: ${why?.text}`,
      );
      sometimes.add("damage made no difference");
      await this.#abandon(opening.wal);
      return;
    }
    const { code, message } = opening.error;
    this.#invariants.check(
      "W5",
      code === "WAL_CORRUPT" || code === "WAL_VERSION" || code === "WAL_STALE",
      () => `${where}: ${what.text}: ${code} ${message}`,
    );
    this.#invariants.check(
      "W5",
      sameContent(before, contentOf(disk)),
      () => `${where}: ${what.text}: a refused log was changed`,
    );
    sometimes.add("damage refused");
  }

  /** Opens an unharmed disk, compares what is there, and ends as a crash would. */
  async #opened(disk: SimulatedDisk): Promise<readonly Entry[]> {
    const { wal, found } = this.#mustOpen(await this.#open(disk));
    await this.#abandon(wal);
    return found;
  }

  #mustOpen(opening: Opening): Extract<Opening, { readonly tag: "opened" }> {
    const { where } = this.#options;
    this.#invariants.check(
      "W2",
      opening.tag === "opened",
      () =>
        `${where}: an unharmed disk does not open: ${opening.tag === "failed" ? (opening.error.stack ?? "") : ""}`,
    );
    this.#compare(opening.found);
    return opening;
  }

  #compare(found: readonly Entry[]): void {
    const { where } = this.#options;
    checkFound(this.#invariants, idsOf(found), this.#expected, where);
    this.checkedFrames += found.length + 1;
  }

  async #open(disk: SimulatedDisk, listener: WalListener = QUIET): Promise<Opening> {
    const { random, limits, slabs, sometimes } = this.#options;
    const { trim } = this.#expected;
    const opening = await openWal({
      files: disk.blocking,
      clock: this.#clock,
      stepClock: stepAtOnce,
      random: random.fork(String(random.u32())),
      slabs,
      limits,
      trim: (): WalPosition => trim,
      listener,
      invariants: this.#invariants,
      onCut: () => sometimes.add("torn tail cut"),
    });
    if (opening.tag === "failed") this.#expectReleased();
    return opening;
  }

  async #abandon(wal: Wal): Promise<void> {
    await wal.abandon();
    this.#clock.clear();
    this.#expectReleased();
  }

  #expectReleased(): void {
    const { where, budget } = this.#options;
    const { reservedBytes } = budget;
    this.#invariants.check(
      "PL4",
      reservedBytes === 0,
      () => `${where}: ${reservedBytes} bytes are still held`,
    );
  }
}

function idsOf(entries: readonly Entry[]): number[] {
  return entries.map(({ id }) => id);
}

/** Everything but what a claim may write before it looks at the log. */
function contentOf(disk: SimulatedDisk): Map<string, Uint8Array> {
  return new Map([...disk.snapshot()].filter(([path]) => !/\/(lock|fence-\d+)$/.test(path)));
}

function sameContent(
  a: ReadonlyMap<string, Uint8Array>,
  b: ReadonlyMap<string, Uint8Array>,
): boolean {
  return (
    a.size === b.size &&
    [...a].every(([path, bytes]) => {
      const other = b.get(path);
      return (
        other !== undefined &&
        other.length === bytes.length &&
        other.every((byte, i) => byte === bytes[i])
      );
    })
  );
}
