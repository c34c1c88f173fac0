import {
  assert,
  type Counter,
  type DiskTurns,
  hasCode,
  isKarstError,
  type KarstError,
  type Runtime,
  type SlabPool,
  type Timer,
} from "@karst/runtime";
import { walError } from "./errors.ts";
import { checkFrame } from "./frame-check.ts";
import { FlushWaiters } from "./flush-waiters.ts";
import { frameBytes, GROUP_HEADER_BYTES } from "./format/group.ts";
import { addFrame, type Group } from "./group-buffer.ts";
import {
  type CommitAction,
  type CommitEvent,
  type CommitState,
  initialCommitState,
  transition,
} from "./group-commit.ts";
import { GroupQueue } from "./group-queue.ts";
import { GroupWriter } from "./group-writer.ts";
import type { WalLimits } from "./limits.ts";
import { KeptFrames, unknownPosition } from "./kept-frames.ts";
import type { StoredSegment } from "./read-frame.ts";
import type { SegmentDevice } from "./segment-device.ts";
import type { SegmentPlan } from "./segment-plan.ts";
import type { AppendedFrame, Frame, Wal, WalListener, WalPosition } from "./wal.ts";

export interface FileWalOptions {
  readonly device: SegmentDevice;
  readonly runtime: Runtime;
  readonly slabs: SlabPool;
  readonly limits: WalLimits;
  readonly turns: DiskTurns;
  readonly walId: string;
  readonly epoch: number;
  readonly listener: WalListener;
  /** Of this epoch; its first segment is ready and holds the first group. */
  readonly plan: SegmentPlan;
  /** Segments of older epochs that still hold frames, oldest first. */
  readonly older: readonly StoredSegment[];
  readonly trim: number;
  /** End of the first group, which is durable. */
  readonly end: number;
  /** Whether the first group has no frames. */
  readonly marked: boolean;
  /** Removes what is left of the directory; called once, after the last write. */
  readonly removeAll: () => Promise<void>;
  /** Gives the claim back; called once, after everything else. Never rejects. */
  readonly release: () => Promise<void>;
}

/**
 * The file WAL between recovery and its end.
 *
 * - Positions grow in call order. Groups are written one at a time, in the order in which they were begun.
 * - `#durable` moves only when a write of this instance has been synced and no successor's fence was found after that.
 * - After the first failure nothing is written and nothing is reported durable.
 */
export class FileWal implements Wal {
  readonly kind = "file";
  readonly walId: string;
  readonly #options: FileWalOptions;
  readonly #device: SegmentDevice;
  readonly #plan: SegmentPlan;
  readonly #queue: GroupQueue;
  readonly #writer: GroupWriter;
  readonly #waiters = new FlushWaiters();
  readonly #kept: KeptFrames;
  readonly #groups: Counter;
  readonly #writtenBytes: Counter;
  #commit: CommitState;
  #writing: Promise<void> | undefined;
  #end: number;
  #durable: number;
  #pendingBytes = 0;
  #idle: Timer | undefined;
  #failure: KarstError | undefined;
  #closing: Promise<void> | undefined;
  #destroys = false;
  readonly #ended: { readonly promise: Promise<void>; readonly resolve: () => void };
  #released: Promise<void> | undefined;

  constructor(options: FileWalOptions) {
    this.#options = options;
    this.walId = options.walId;
    this.#device = options.device;
    this.#plan = options.plan;
    this.#queue = new GroupQueue(options.plan, options.slabs, groupLimits(options));
    this.#writer = new GroupWriter(options);
    this.#kept = new KeptFrames({ ...options, log: options.runtime.log });
    this.#end = options.end;
    this.#durable = options.end;
    this.#commit = initialCommitState(options.marked);
    this.#groups = options.runtime.metrics.counter("karst_wal_written_groups");
    this.#writtenBytes = options.runtime.metrics.counter("karst_wal_written_bytes");
    let resolve = (): void => undefined;
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#ended = { promise, resolve };
    if (!options.marked) this.#setIdle();
  }

  get durablePosition(): WalPosition {
    return this.#durable as WalPosition;
  }

  get endPosition(): WalPosition {
    return this.#end as WalPosition;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  append(frame: Frame): AppendedFrame {
    if (this.#commit.life !== "running") throw this.#refusal();
    const { limits } = this.#options;
    checkFrame(frame, limits.frameBytesMax);
    const bytes = frameBytes(frame.payload);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > limits.pendingBytesMax) {
      throw walError(
        "WAL_BACKLOG_FULL",
        `${this.#pendingBytes} bytes wait for the disk; the limit is ${limits.pendingBytesMax}`,
      );
    }
    const group = this.#queue.groupFor(bytes);
    const start = group.base + group.length;
    const payloadAt = addFrame(group, frame, bytes);
    this.#end = start + bytes;
    this.#pendingBytes += bytes;
    group.slab.retain();
    if (group.frames === 1) this.#apply({ tag: "group", ready: this.#mayWriteAtOnce });
    return {
      start: start as WalPosition,
      end: this.#end as WalPosition,
      payload: group.slab.bytes.subarray(payloadAt, payloadAt + frame.payload.length),
      slab: group.slab,
    };
  }

  async flush(): Promise<void> {
    if (this.#commit.life === "ended") throw this.#refusal();
    if (this.#durable < this.#end) await this.#waiters.wait(this.#end);
  }

  async read(start: WalPosition): Promise<Frame> {
    if (this.#commit.life === "ended") throw this.#refusal();
    if (start >= this.#durable && start < this.#end) await this.flush();
    if (this.#released !== undefined) throw this.#refusal();
    if (start >= this.#end) throw unknownPosition(start);
    return await this.#kept.read(start);
  }

  async trim(position: WalPosition): Promise<void> {
    if (this.#commit.life === "ended") throw this.#refusal();
    if (position > this.#durable)
      throw new TypeError(`trim to ${position}, above the durable position ${this.#durable}`);
    await this.#kept.trim(position);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async destroy(): Promise<void> {
    if (this.#commit.life !== "running") throw this.#refusal();
    this.#destroys = true;
    await this.close();
  }

  async abandon(): Promise<void> {
    if (this.#commit.life !== "ended") {
      this.#failure = walError("WAL_CLOSED", "the WAL has been abandoned");
      this.#commit = { ...this.#commit, life: "ended" };
      this.#stop(this.#failure);
    }
    await this.#release();
  }

  async #close(): Promise<void> {
    const hadFailed = this.#commit.life === "ended";
    this.#apply({ tag: "close" });
    this.#failWhereFull();
    await this.#ended.promise;
    let failure = hadFailed ? undefined : this.#failure;
    if (this.#destroys && failure === undefined) {
      try {
        await this.#options.removeAll();
      } catch (error) {
        failure = error as KarstError;
      }
    }
    await this.#release();
    if (failure !== undefined) throw failure;
  }

  #apply(event: CommitEvent): void {
    const { state, actions } = transition(this.#commit, event);
    this.#commit = state;
    try {
      for (const action of actions) this.#act(action);
    } catch (error) {
      this.#fail(error);
    }
  }

  #act(action: CommitAction): void {
    switch (action) {
      case "await-turn":
        this.#options.runtime.clock.defer(() =>
          this.#apply({ tag: "turn", ready: this.#queue.isReady }),
        );
        return;
      case "write-group":
        this.#writeGroup();
        return;
      case "write-mark":
        this.#writeMark();
        return;
      case "report":
        this.#report();
        return;
      case "set-idle":
        this.#setIdle();
        return;
      case "fail":
        this.#stop(this.#failure as KarstError);
        this.#tellFailed(this.#failure as KarstError);
        return;
      case "end":
        this.#stop(walError("WAL_CLOSED", "the WAL is closed"));
        return;
    }
  }

  #writeGroup(): void {
    const group = this.#queue.take();
    assert(group !== undefined, "there is no group to write");
    this.#writing = this.#writer.writeGroup(group).then(
      () => this.#afterWrite(group),
      (error: unknown) => {
        group.slab.release();
        this.#fail(error);
      },
    );
  }

  #writeMark(): void {
    this.#writing = this.#writer.writeMark().then(
      () => this.#afterWrite(undefined),
      (error: unknown) => this.#fail(error),
    );
  }

  /** The write in flight is durable, and no later claim existed after it was. Undefined: a mark. */
  #afterWrite(group: Group | undefined): void {
    group?.slab.release();
    if (this.#commit.life === "ended") return;
    this.#groups.add(1);
    this.#writtenBytes.add(group?.length ?? GROUP_HEADER_BYTES);
    if (group !== undefined) {
      this.#durable = group.base + group.length;
      this.#pendingBytes -= group.length - GROUP_HEADER_BYTES;
    }
    // Where less waits than was just written, most appenders wait for this report: one large group is better than two cohorts.
    const gather =
      !this.#mayWriteAtOnce &&
      (this.#device.blocking || this.#queue.nextBytes < (group?.length ?? 0));
    this.#apply({ tag: "written", ready: this.#queue.isReady, gather });
  }

  /** Whether the first group only loses by waiting for more of this turn. */
  get #mayWriteAtOnce(): boolean {
    return !this.#device.blocking && this.#queue.isComplete && this.#queue.isReady;
  }

  #report(): void {
    this.#waiters.settle(this.#durable);
    try {
      this.#options.listener.durable(this.#durable as WalPosition);
    } catch (error) {
      this.#fail(error);
    }
  }

  #setIdle(): void {
    const { runtime, limits } = this.#options;
    this.#idle = runtime.clock.setTimer(limits.watermarkDelayMs, () =>
      this.#apply({ tag: "idle" }),
    );
  }

  /** @internal A segment has been prepared. */
  prepared(): void {
    this.#apply({ tag: "prepared", ready: this.#queue.isReady });
  }

  /** @internal A segment could not be prepared. */
  refused(): void {
    this.#failWhereFull();
  }

  /** @internal Nothing of this instance is reported durable from here on. */
  fail(error: unknown): void {
    this.#fail(error);
  }

  /** A closing instance does not wait for a full disk. */
  #failWhereFull(): void {
    const waits =
      this.#commit.life === "closing" &&
      this.#commit.writing === "nothing" &&
      this.#commit.waiting > 0;
    if (waits && !this.#queue.isReady && this.#plan.failure !== undefined)
      this.#fail(this.#plan.failure);
  }

  #fail(cause: unknown): void {
    if (this.#commit.life === "ended") return;
    this.#failure = hasCode(cause, "WAL_FENCED")
      ? cause
      : walError(
          "WAL_FAILED",
          `the WAL has failed: ${cause instanceof Error ? cause.message : String(cause)}`,
          cause,
        );
    this.#options.runtime.log.error("wal-failed", {
      walId: this.walId,
      code: this.#failure.code,
      reason: this.#failure.message,
    });
    this.#apply({ tag: "failed" });
  }

  #tellFailed(error: KarstError): void {
    try {
      this.#options.listener.failed(error);
    } catch (thrown) {
      this.#options.runtime.log.error("wal-listener-threw", { reason: String(thrown) });
    }
  }

  /** Lets go of everything but the write in flight, whose bytes the device still reads. */
  #stop(error: KarstError): void {
    this.#idle?.cancel();
    this.#queue.close();
    this.#waiters.rejectAll(error);
    this.#ended.resolve();
  }

  /** After the end: waits until the device is quiet, and gives it back. Never rejects. */
  #release(): Promise<void> {
    this.#released ??= (async (): Promise<void> => {
      await this.#writing;
      await this.#plan.close();
      await this.#kept.settled();
      await this.#options.release();
    })();
    return this.#released;
  }

  #refusal(): KarstError {
    const failure = this.#failure;
    if (failure === undefined) return walError("WAL_CLOSED", "the WAL is closed");
    assert(isKarstError(failure), "a failure is a KarstError");
    return failure;
  }
}

function groupLimits({ device, limits }: FileWalOptions): WalLimits {
  const { groupBytesMax, groupBytesAsideMax } = limits;
  return device.blocking
    ? limits
    : { ...limits, groupBytesMax: Math.min(groupBytesMax, groupBytesAsideMax) };
}
