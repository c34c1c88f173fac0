import { runtimeError } from "@karst/runtime";
import type { ActiveFault, CrashKeep, DiskEvent, SimulatedDisk } from "@karst/runtime/testing";
import { SEGMENT_HEADER_BYTES } from "@karst/wal";
import type { Sometimes } from "../world/sometimes.ts";
import { FenceWatch } from "../world/fence-watch.ts";
import type { CrashStates } from "./crash-states.ts";
import type { Expectation } from "./history.ts";
import { WAL_DIRECTORY } from "./open-wal.ts";
import type { QuickRandom } from "./quick-random.ts";
import { type Harm, labelOf } from "./swarm.ts";

/** How the processes of a world end together. */
export type WalEnding = "kill" | CrashKeep;

/** Operations after which a crash may leave something else than before. */
const SAMPLED: ReadonlySet<string> = new Set([
  "open",
  "write",
  "datasync",
  "rename",
  "remove",
  "syncDirectory",
]);

/** Crashes tried before a sync, where most is at stake. */
const COPIES_BEFORE_SYNC = 3;

export interface WalDiskOptions {
  readonly disk: SimulatedDisk;
  readonly random: QuickRandom;
  readonly samplePercent: number;
  readonly sometimes: Sometimes;
  readonly states: CrashStates;
  /** What a crash at this moment must leave. */
  readonly expect: () => Expectation;
  /** A rival has claimed the WAL, and is gone again. */
  readonly onRival: () => void;
}

/** The disk of a world with one WAL: it fails as it is told to, may end its processes at any operation, and tries crashes on the way. */
export class WalDisk {
  readonly #options: WalDiskOptions;
  readonly #harms: { readonly label: string; readonly fault: ActiveFault }[] = [];
  readonly #after: { readonly harm: Harm; left: number }[] = [];
  readonly #fences: FenceWatch;
  #trap: { left: number; readonly ending: WalEnding } | undefined;
  /** Syncs of segments until a rival comes. */
  #rivalAfter: number | undefined;
  #sprung = false;
  #openFiles = 0;
  faults = 0;

  constructor(options: WalDiskOptions) {
    this.#options = options;
    this.#fences = new FenceWatch(options.disk);
    options.disk.onOperation = (event) => this.#saw(event);
  }

  /** The trap has sprung: the processes have been ended, and have not been told. */
  get sprung(): boolean {
    return this.#sprung;
  }

  /** Open in this life. */
  get openFiles(): number {
    return this.#openFiles;
  }

  /** Whether a fault may strike. */
  get isHarmed(): boolean {
    return this.#harms.length > 0 || this.#after.length > 0;
  }

  /** No fault, no end ahead, and room. */
  get isCalm(): boolean {
    return (
      !this.isHarmed &&
      this.#trap === undefined &&
      this.#rivalAfter === undefined &&
      !this.#sprung &&
      this.#options.disk.capacityBytes === Infinity
    );
  }

  /** Strikes after so many operations of its kind. */
  harm(harm: Harm, after: number, persistent: boolean): void {
    this.faults += 1;
    if (harm.effect === "after") {
      this.#after.push({ harm, left: after });
      return;
    }
    const once = harm.effect === "short-write" ? 5 : 1;
    const fault = this.#options.disk.fault({
      on: harm.on,
      effect: harm.effect,
      after,
      times: persistent ? 4 : once,
    });
    this.#harms.push({ label: labelOf(harm), fault });
  }

  fill(): void {
    this.faults += 1;
    this.#options.disk.capacityBytes = 0;
  }

  makeRoom(): void {
    this.#options.disk.capacityBytes = Infinity;
  }

  /** Ends the processes at the so-many-th moment before or after an operation. */
  setTrap(moments: number, ending: WalEnding): void {
    this.#trap = { left: moments, ending };
  }

  /** While the so-many-th sync of a segment from now is under way, somebody claims the WAL, and ends before he does anything more. */
  setRival(syncs: number): void {
    this.#rivalAfter = syncs;
  }

  /** From here on nothing goes wrong. */
  heal(): void {
    const { disk, sometimes } = this.#options;
    this.#trap = undefined;
    this.#rivalAfter = undefined;
    this.#after.length = 0;
    disk.clearFaults();
    this.makeRoom();
    for (const { label, fault } of this.#harms) sometimes.add(label, fault.hits);
    this.#harms.length = 0;
  }

  /** Ends the processes, unless the trap has done it. */
  end(ending: WalEnding): void {
    this.#trap = undefined;
    this.#rivalAfter = undefined;
    if (!this.#sprung) this.#crash(ending);
    this.#sprung = false;
  }

  /** Whether a later claim stood when the log's byte at `position` was synced. */
  wasFenced(position: number): boolean {
    const path = this.#segmentAt(position);
    return path !== undefined && this.#fences.wasFenced(path);
  }

  /** Whether every crash leaves the log's bytes of [start, end). */
  isDurable(start: number, end: number): boolean {
    const { disk, sometimes } = this.#options;
    const path = this.#segmentAt(start);
    if (path === undefined) return false;
    if (baseOf(path) > 0) sometimes.add("segment rolled");
    const at = SEGMENT_HEADER_BYTES - baseOf(path);
    return disk.isDurable(path, at + start, at + end);
  }

  #segmentAt(position: number): string | undefined {
    return this.#options.disk
      .listAll()
      .findLast((name) => name.includes("/segment-") && baseOf(name) <= position);
  }

  #saw(event: DiskEvent): void {
    const { operation, phase, path, error } = event;
    this.#fences.saw(event);
    if (phase === "before" && operation === "datasync" && !this.#sprung) this.#compete(path);
    if (phase === "after") this.#count(event);
    if (this.#trap !== undefined && !this.#sprung) {
      this.#trap.left -= 1;
      if (this.#trap.left <= 0) {
        this.#sprung = true;
        this.#options.sometimes.add("trap sprung");
        this.#crash(this.#trap.ending);
        return;
      }
    }
    if (SAMPLED.has(operation) && !this.#sprung) this.#sample(event);
    if (phase === "after" && error === undefined) this.#failAfter(operation, path);
  }

  /** A sync takes long: what others do meanwhile is done before it ends. */
  #compete(path: string): void {
    const { disk, sometimes, onRival } = this.#options;
    if (this.#rivalAfter === undefined) return;
    // A handle goes by the name that the file had while it was prewritten.
    const names = disk.listAll();
    const segment = /segment-\d+-\d+$/.exec(path)?.[0];
    if (segment === undefined || !names.includes(`${WAL_DIRECTORY}/${segment}`)) return;
    this.#rivalAfter -= 1;
    if (this.#rivalAfter > 0) return;
    this.#rivalAfter = undefined;
    const fences = names.map((name) => Number(/\/fence-(\d+)$/.exec(name)?.[1] ?? 0));
    sometimes.add("fence during a sync");
    onRival();
    disk.blocking.open(`${WAL_DIRECTORY}/fence-${Math.max(...fences) + 1}`, "create").close();
  }

  #count({ operation, path, error }: DiskEvent): void {
    const { sometimes } = this.#options;
    if (error !== undefined) sometimes.add(`failed ${operation}`);
    if (operation === "open" && error === undefined) this.#openFiles += 1;
    if (operation === "close") this.#openFiles -= 1;
    if (operation === "rename" && /\/segment-\d+-\d+$/.test(path))
      sometimes.add("segment recycled");
  }

  #sample({ operation, phase, path, sequence }: DiskEvent): void {
    const { random, samplePercent, states, disk, expect } = this.#options;
    if (!random.chance(samplePercent)) return;
    const name = path.slice(WAL_DIRECTORY.length + 1);
    const where = `${phase} operation ${sequence}, ${operation} of ${name}`;
    const copies = phase === "before" && operation === "datasync" ? COPIES_BEFORE_SYNC : 1;
    for (let n = 0; n < copies; n += 1) states.take(disk, expect(), where);
  }

  #failAfter(operation: string, path: string): void {
    const index = this.#after.findIndex(({ harm }) => harm.on === operation);
    const one = this.#after[index];
    if (one === undefined) return;
    one.left -= 1;
    if (one.left >= 0) return;
    this.#after.splice(index, 1);
    this.#options.sometimes.add(labelOf(one.harm));
    // Nobody ever gets that handle.
    if (operation === "open") this.#openFiles -= 1;
    throw runtimeError("IO_ERROR", `${operation} of ${path} failed after it was done`);
  }

  #crash(ending: WalEnding): void {
    const { disk, sometimes, states } = this.#options;
    sometimes.add(`crash ${ending}`);
    this.faults += 1;
    this.#openFiles = 0;
    if (ending === "kill") disk.kill();
    else {
      disk.crash({ keep: ending });
      states.isNew(disk);
    }
  }
}

function baseOf(path: string): number {
  return Number(path.slice(path.lastIndexOf("-") + 1));
}
