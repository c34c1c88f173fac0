import { WAL_START, type WalPosition } from "@karst/wal";
import { APPENDS_PER_GROUP_MAX, BYTES_PER_GROUP_MAX } from "../limits.ts";
import type { StreamLog } from "./stream-log.ts";

interface PendingFrame {
  readonly log: StreamLog;
  readonly endOffset: number;
  readonly end: WalPosition;
}

interface Group {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  end: WalPosition;
  count: number;
  bytes: number;
}

/**
 * From "the WAL has it" to "it is durable": raises high watermarks and resolves appends as the durable position grows.
 *
 * Invariants: frames are tracked in WAL order; a high watermark is raised, and an append resolved, only by `advance`, which the
 * WAL calls after the sync and its own check that nobody has fenced it; after `fail` never again.
 */
export class Durability {
  readonly #frames: PendingFrame[] = [];
  readonly #groups: Group[] = [];
  #waiting: {
    readonly position: WalPosition;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  readonly #report: (error: unknown) => void;
  readonly #defer: (fn: () => void) => void;
  /** Index of the first frame that is not durable: the array is cut only when it has become long. */
  #next = 0;
  #open: Group | undefined;
  #position: WalPosition = WAL_START;
  #failure: Error | undefined;

  /**
   * @param report receives what advance listeners throw.
   * @param defer calls back when the WAL, asked before, has begun to write what is appended until now.
   */
  constructor(report: (error: unknown) => void, defer: (fn: () => void) => void = queueMicrotask) {
    this.#report = report;
    this.#defer = defer;
  }

  get position(): WalPosition {
    return this.#position;
  }

  /** Frames below it are durable already (recovered). */
  start(position: WalPosition): void {
    if (position > this.#position) this.#position = position;
  }

  /** Waits for one more frame: `log.lastAppend` settles with it. The appends of one turn share that promise. */
  track(log: StreamLog, endOffset: number, end: WalPosition, bytes: number): void {
    this.#frames.push({ log, endOffset, end });
    const group = this.#openGroup();
    group.end = end;
    group.count += 1;
    group.bytes += bytes;
    if (group.count >= APPENDS_PER_GROUP_MAX || group.bytes >= BYTES_PER_GROUP_MAX)
      this.#open = undefined;
    log.lastAppend = group.promise;
  }

  /** Resolves when everything below `position` is durable; rejects when that cannot happen any more. */
  reached(position: WalPosition): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (position <= this.#position) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ position, resolve, reject }));
  }

  advance(position: WalPosition): void {
    if (this.#failure !== undefined || position <= this.#position) return;
    this.#position = position;
    const advanced = new Set<StreamLog>();
    for (; this.#next < this.#frames.length; this.#next += 1) {
      const frame = this.#frames[this.#next] as PendingFrame;
      if (frame.end > position) break;
      frame.log.highWatermark = frame.endOffset;
      advanced.add(frame.log);
    }
    this.#forget();
    let reached = 0;
    while ((this.#groups[reached]?.end ?? Number.POSITIVE_INFINITY) <= position) reached += 1;
    // A sync that has ended is where the next one begins: what is appended from now on waits for the one after that.
    this.#open = undefined;
    // In one cut: an append per turn leaves as many groups as appends, and shifting each would move all that are left.
    for (const group of this.#groups.splice(0, reached)) group.resolve();
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.position > position) return true;
      waiter.resolve();
      return false;
    });
    for (const log of advanced) log.notify(this.#report);
  }

  /** Nothing becomes durable any more: appends get `appendError`, others `error`. */
  fail(error: Error, appendError: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#open = undefined;
    for (const group of this.#groups.splice(0)) group.reject(appendError);
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    this.#frames.length = 0;
    this.#next = 0;
  }

  #openGroup(): Group {
    if (this.#open !== undefined) return this.#open;
    let resolve!: () => void;
    let reject!: (error: Error) => void;
    const promise = new Promise<void>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    promise.catch(() => undefined);
    const group: Group = { promise, resolve, reject, end: WAL_START, count: 0, bytes: 0 };
    this.#open = group;
    this.#groups.push(group);
    // What is appended in this turn goes to the disk as one; later appends may belong to a later sync.
    this.#defer(() => {
      if (this.#open === group) this.#open = undefined;
    });
    return group;
  }

  #forget(): void {
    if (this.#next === this.#frames.length) {
      this.#frames.length = 0;
      this.#next = 0;
    } else if (this.#next > 4096) {
      this.#frames.splice(0, this.#next);
      this.#next = 0;
    }
  }
}
