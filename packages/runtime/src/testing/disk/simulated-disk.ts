import { posix } from "node:path";
import type { Clock } from "../../clock.ts";
import type { BlockingFiles, Files } from "../../files.ts";
import { type Random, randomInteger } from "../../random.ts";
import { SimulatedBlockingFiles } from "./blocking-files.ts";
import {
  type ActiveFault,
  type DiskCall,
  type DiskFault,
  type DiskOperation,
  FaultList,
} from "./faults.ts";
import type { CrashKeep } from "./file-content.ts";
import { SimulatedFiles } from "./files.ts";
import { DiskLife } from "./life.ts";
import { type FileNode, Namespace } from "./namespace.ts";
import { normalise, partsOf, Volume } from "./volume.ts";

/** Told before and after each operation; throwing makes the operation fail with what was thrown. */
export type DiskObserver = (event: DiskEvent) => void;

export interface DiskEvent extends DiskCall {
  readonly phase: "before" | "after";
  /** Counts the disk's operations, from 1; the same before and after. */
  readonly sequence: number;
  /** After an operation that failed. */
  readonly error?: Error;
}

/** Milliseconds that an asynchronous operation takes: uniform in a range, or as computed. */
export type DiskLatency =
  | { readonly minMs: number; readonly maxMs: number }
  | ((call: DiskCall, random: Random) => number);

export interface SimulatedDiskOptions {
  readonly random: Random;
  /** For modification times, and for `latency`. */
  readonly clock?: Clock;
  /** Needs a clock; without it asynchronous operations take one turn of the microtask queue. */
  readonly latency?: DiskLatency;
  /** Room for file data. Default: unlimited. */
  readonly capacityBytes?: number;
  /** Whether a crash may leave garbage where a file had grown and its data was not synced. Default true. */
  readonly garbage?: boolean;
  readonly onOperation?: DiskObserver;
}

/** What a crash did. */
export interface CrashReport {
  readonly sectorsKept: number;
  readonly sectorsDropped: number;
  readonly sectorsTorn: number;
  readonly namesKept: number;
  readonly namesDropped: number;
}

/**
 * A disk with a page cache that forgets, deliberately weaker than any real file system: until a sync has succeeded, a
 * crash may keep any subset of the written sectors, each cut at any byte or in an older version, any file size between the
 * synced and the written one, and any subset of creates, renames, links and removes, each of them whole.
 *
 * `files` and `blocking` are two ways to the same tree and belong to the present life of the process: after `crash` or `kill`
 * they and every handle from them reject with `IO_ERROR`; read the properties again for the next life's.
 */
export class SimulatedDisk {
  onOperation: DiskObserver | undefined;
  readonly #random: Random;
  readonly #options: SimulatedDiskOptions;
  readonly #latencyRandom: Random;
  readonly #faults: FaultList;
  readonly #counts = new Map<DiskOperation, number>();
  #volume: Volume;
  #sequence = 0;
  #crashes = 0;
  #life!: DiskLife;
  #files!: Files;
  #blocking!: BlockingFiles;

  constructor(options: SimulatedDiskOptions) {
    if (options.latency !== undefined && options.clock === undefined)
      throw new TypeError("latency needs a clock");
    this.#options = options;
    this.#random = options.random;
    this.#latencyRandom = options.random.fork("latency");
    this.#faults = new FaultList(options.random.fork("faults"));
    this.onOperation = options.onOperation;
    this.#volume = this.#mount(new Namespace());
    this.#volume.capacityBytes = options.capacityBytes ?? Infinity;
    this.#begin();
  }

  /** The present life's asynchronous files. */
  get files(): Files {
    return this.#files;
  }

  /** The present life's blocking files. */
  get blocking(): BlockingFiles {
    return this.#blocking;
  }

  get capacityBytes(): number {
    return this.#volume.capacityBytes;
  }

  /** Below what is used already, nothing is taken away: no file can grow. */
  set capacityBytes(bytes: number) {
    this.#volume.capacityBytes = bytes;
  }

  get usedBytes(): number {
    return this.#volume.usedBytes;
  }

  /** Operations begun, all or of one kind, since the disk was made. */
  operations(operation?: DiskOperation): number {
    return operation === undefined ? this.#sequence : (this.#counts.get(operation) ?? 0);
  }

  /** Creates, renames, links and removes that a crash may undo. */
  get pendingNames(): number {
    return this.#volume.names.pending;
  }

  fault(fault: DiskFault): ActiveFault {
    return this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** The power goes: ends the life, and the disk becomes what its medium may hold. Faults stay in force. */
  crash(options: { readonly keep?: CrashKeep } = {}): CrashReport {
    const keep = options.keep ?? "random";
    this.#crashes += 1;
    const random = this.#random.fork(`crash ${this.#crashes}`);
    const names = this.#volume.names.crash(keep, random);
    const report = { sectorsKept: 0, sectorsDropped: 0, sectorsTorn: 0 };
    for (const file of this.#visibleFiles()) {
      const tally = file.content.crash(keep, random, this.#options.garbage ?? true);
      report.sectorsKept += tally.kept;
      report.sectorsDropped += tally.dropped;
      report.sectorsTorn += tally.torn;
    }
    this.#volume.recount();
    this.#begin();
    return { ...report, namesKept: names.kept, namesDropped: names.dropped };
  }

  /** The process goes, the system lives: ends the life; the page cache stays, what was not synced still is not. */
  kill(): void {
    for (const file of this.#visibleFiles()) file.handles = 0;
    this.#volume.recount();
    this.#begin();
  }

  /** Memory gets short: clean pages leave the cache, and what a failed sync lost is no longer readable. */
  dropCaches(): void {
    for (const file of this.#visibleFiles()) file.content.dropCache();
  }

  /** Whether every crash leaves the bytes of [start, end) readable under this path, as they are now. */
  isDurable(path: string, start: number, end: number): boolean {
    return (
      this.isNameDurable(path) && this.#volume.file(normalise(path)).content.isDurable(start, end)
    );
  }

  /** Whether every crash leaves this path, and all above it, with what it names now. */
  isNameDurable(path: string): boolean {
    return this.#volume.names.isDurable(partsOf(normalise(path)));
  }

  /** Bytes of the file, as a reader sees it. */
  sizeOf(path: string): number {
    return this.#volume.file(normalise(path)).content.size;
  }

  /** A copy of what a reader sees. Not counted, and unharmed by faults, like the helpers that follow. */
  bytesOf(path: string): Uint8Array {
    const { content } = this.#volume.file(normalise(path));
    const bytes = new Uint8Array(content.size);
    content.read(bytes, 0);
    return bytes;
  }

  /** Paths of all files and, with a `/` at the end, directories; parents first, names sorted. */
  listAll(): string[] {
    return [...this.#volume.names.walk()].map(({ path, node }) =>
      node.kind === "file" ? path : `${path}/`,
    );
  }

  /** Every file's bytes by path: two are deeply equal when nothing changed. */
  snapshot(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const path of this.listAll()) if (!path.endsWith("/")) files.set(path, this.bytesOf(path));
    return files;
  }

  /** Flips one bit (0–7) of one byte, in the cache and on the medium. */
  flip(path: string, position: number, bit: number): void {
    const { content } = this.#volume.file(normalise(path));
    if (position >= content.size) throw new RangeError(`${path} has no byte ${position}`);
    content.flip(position, 1 << bit);
  }

  /** Cuts or extends (with zeros) a file, on the medium too. */
  truncate(path: string, size: number): void {
    const file = this.#volume.file(normalise(path));
    this.#volume.resize(file, () => file.content.truncate(size));
  }

  /** Puts bytes into an existing file, on the medium too. */
  overwrite(path: string, position: number, bytes: Uint8Array): void {
    const file = this.#volume.file(normalise(path));
    this.#volume.resize(file, () => file.content.overwrite(bytes, position));
  }

  /** Puts a whole file in place, with its directories, all durable at once. */
  install(path: string, bytes: Uint8Array): void {
    const full = normalise(path);
    this.#volume.makeDirectory(posix.dirname(full));
    if (this.#volume.find("install", full) !== undefined) this.#volume.remove(full);
    const file = this.#volume.open(full, "create");
    this.#volume.resize(file, () => file.content.overwrite(bytes, 0));
    this.#volume.close(file);
    for (let parent = posix.dirname(full); ; parent = posix.dirname(parent)) {
      const { directory, point } = this.#volume.beginDirectorySync(parent);
      this.#volume.names.completeSync(directory, point);
      if (parent === "/") break;
    }
  }

  /** A second disk in the same state (nothing open, no faults), with its own random source: many crashes from one state. */
  clone(random: Random): SimulatedDisk {
    const clone = new SimulatedDisk({
      ...this.#options,
      random,
      capacityBytes: this.capacityBytes,
    });
    clone.#volume = clone.#mount(this.#volume.names.copy());
    clone.#volume.capacityBytes = this.capacityBytes;
    clone.#begin();
    return clone;
  }

  #mount(names: Namespace): Volume {
    return new Volume(names, () => this.#options.clock?.wallMs() ?? 0);
  }

  #begin(): void {
    this.#life?.end();
    this.#life = new DiskLife({
      volume: this.#volume,
      emit: (phase, call, sequence, error) =>
        this.onOperation?.({ ...call, phase, sequence, ...(error === undefined ? {} : { error }) }),
      count: (call) => this.#count(call),
      strike: (call) => this.#faults.strike(call),
      delay: (call) => this.#delay(call),
    });
    const random = this.#random.fork("handles");
    this.#files = new SimulatedFiles(this.#life, random);
    this.#blocking = new SimulatedBlockingFiles(this.#life, random);
  }

  #count(call: DiskCall): number {
    this.#sequence += 1;
    this.#counts.set(call.operation, this.operations(call.operation) + 1);
    return this.#sequence;
  }

  #delay(call: DiskCall): { readonly clock: Clock; readonly ms: number } | undefined {
    const { clock, latency } = this.#options;
    if (clock === undefined || latency === undefined) return undefined;
    if (typeof latency === "function") return { clock, ms: latency(call, this.#latencyRandom) };
    const micros = randomInteger(this.#latencyRandom, latency.minMs * 1_000, latency.maxMs * 1_000);
    return { clock, ms: micros / 1_000 };
  }

  #visibleFiles(): Set<FileNode> {
    const files = new Set<FileNode>();
    for (const { node } of this.#volume.names.walk()) if (node.kind === "file") files.add(node);
    return files;
  }
}
