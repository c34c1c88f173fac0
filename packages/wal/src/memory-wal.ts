import { copyOf, type KarstError, type Runtime, type Slab, type SlabPool } from "@karst/runtime";
import { walError } from "./errors.ts";
import { FlushWaiters } from "./flush-waiters.ts";
import { frameBytes } from "./format/group.ts";
import { checkFrame } from "./frame-check.ts";
import type { WalLimits } from "./limits.ts";
import type { MemoryPlace } from "./memory-place.ts";
import type { AppendedFrame, Frame, RecoveredFrame, Wal, WalListener, WalPosition } from "./wal.ts";

/** Room between frames in the position space, so that every frame has a position of its own. */
const FRAME_OVERHEAD = 1;

export interface MemoryWalContext {
  readonly runtime: Runtime;
  readonly slabs: SlabPool;
  readonly limits: WalLimits;
  readonly place: MemoryPlace;
  readonly listener: WalListener;
  readonly epoch: number;
  readonly walId: string;
}

/**
 * One instance of a memory WAL: what is appended in a turn becomes "durable", that is, part of the place, after it.
 *
 * Invariants: the place holds one reference of each of its frames' slabs, this instance one of each pending frame's and of the
 * slab that is being filled. After a later claim nothing more goes to the place.
 */
export class MemoryWal implements Wal {
  readonly kind = "memory";
  readonly walId: string;
  readonly #context: MemoryWalContext;
  readonly #waiters = new FlushWaiters();
  #pending: RecoveredFrame[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #slab: Slab | undefined;
  #used = 0;
  #end: number;
  #durable: number;
  #failure: KarstError | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: MemoryWalContext) {
    this.#context = context;
    this.walId = context.walId;
    this.#end = context.place.end;
    this.#durable = context.place.end;
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
    this.#check();
    const { limits, runtime } = this.#context;
    checkFrame(frame, limits.frameBytesMax);
    const bytes = frame.payload.length + FRAME_OVERHEAD;
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > limits.pendingBytesMax) {
      throw walError(
        "WAL_BACKLOG_FULL",
        `${this.#pendingBytes} bytes are pending; the limit is ${limits.pendingBytesMax}`,
      );
    }
    const slab = this.#slabFor(frameBytes(frame.payload));
    // Placed as in a file WAL: see `frameBytes`.
    const payloadAt = this.#used + (frame.payload.byteOffset % 8);
    const payload = slab.bytes.subarray(payloadAt, payloadAt + frame.payload.length);
    payload.set(frame.payload);
    this.#used += frameBytes(frame.payload);
    const start = (this.#end + FRAME_OVERHEAD) as WalPosition;
    const end = (this.#end + FRAME_OVERHEAD + bytes) as WalPosition;
    this.#end = end;
    this.#pendingBytes += bytes;
    slab.retain();
    slab.retain();
    const { streamId, streamEpoch, baseOffset, count, maxTimestampMs } = frame;
    this.#pending.push({
      streamId,
      streamEpoch,
      baseOffset,
      count,
      maxTimestampMs,
      payload,
      slab,
      start,
      end,
    });
    if (!this.#scheduled) {
      this.#scheduled = true;
      runtime.clock.defer(() => this.#settle());
    }
    return { start, end, payload, slab };
  }

  async flush(): Promise<void> {
    this.#check();
    if (this.#durable < this.#end) await this.#waiters.wait(this.#end);
  }

  async read(start: WalPosition): Promise<Frame> {
    this.#check();
    if (start >= this.#durable && start < this.#end) await this.flush();
    const { frames, trimmed } = this.#context.place;
    const frame = frames[firstFrom(frames, start)];
    if (frame?.start !== start || start < trimmed) {
      throw walError("WAL_POSITION_UNKNOWN", `the WAL holds no frame at position ${start}`);
    }
    const { streamId, streamEpoch, baseOffset, count, maxTimestampMs } = frame;
    return {
      streamId,
      streamEpoch,
      baseOffset,
      count,
      maxTimestampMs,
      payload: copyOf(frame.payload),
    };
  }

  async trim(position: WalPosition): Promise<void> {
    this.#check();
    if (position > this.#durable)
      throw new TypeError(`trim to ${position}, above the durable position ${this.#durable}`);
    const { place } = this.#context;
    if (place.epoch !== this.#context.epoch) return;
    place.trimmed = Math.max(place.trimmed, position);
    const count = place.frames.findIndex((frame) => frame.end > position);
    for (const frame of place.frames.splice(0, count < 0 ? place.frames.length : count))
      frame.slab.release();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async destroy(): Promise<void> {
    this.#check();
    await this.close();
    const { place, epoch } = this.#context;
    if (place.epoch !== epoch) return;
    for (const frame of place.frames.splice(0)) frame.slab.release();
    place.identity = undefined;
    place.end = 0;
    place.trimmed = 0;
  }

  async abandon(): Promise<void> {
    if (this.#failure === undefined)
      this.#stop(walError("WAL_CLOSED", "the WAL has been abandoned"));
  }

  async #close(): Promise<void> {
    if (this.#failure !== undefined) return;
    await this.flush();
    // A failure while the last appends settled has ended the instance already.
    if (this.#failure === undefined) this.#stop(walError("WAL_CLOSED", "the WAL is closed"));
  }

  /** Memory is as durable as it gets at once; what decides is whether a later claim exists. */
  #settle(): void {
    this.#scheduled = false;
    if (this.#failure !== undefined) return;
    const { place, epoch, listener } = this.#context;
    if (place.epoch !== epoch) {
      this.#fail(walError("WAL_FENCED", "a later claim of this memory WAL exists"));
      return;
    }
    place.frames.push(...this.#pending);
    place.end = this.#end;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#durable = this.#end;
    this.#waiters.settle(this.#durable);
    try {
      listener.durable(this.#durable as WalPosition);
    } catch (error) {
      this.#fail(walError("WAL_FAILED", `the WAL's listener threw: ${String(error)}`, error));
    }
  }

  #fail(error: KarstError): void {
    this.#stop(error);
    try {
      this.#context.listener.failed(error);
    } catch (thrown) {
      this.#context.runtime.log.error("wal-listener-threw", { reason: String(thrown) });
    }
  }

  #stop(error: KarstError): void {
    this.#failure = error;
    for (const frame of this.#pending.splice(0)) frame.slab.release();
    this.#slab?.release();
    this.#slab = undefined;
    this.#waiters.rejectAll(error);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw walError("WAL_CLOSED", "the WAL is closing");
  }

  #slabFor(bytes: number): Slab {
    if (this.#slab !== undefined && this.#used + bytes <= this.#slab.bytes.length)
      return this.#slab;
    const slab = this.#context.slabs.acquire(bytes);
    this.#slab?.release();
    this.#slab = slab;
    this.#used = 0;
    return slab;
  }
}

/** Index of the first frame that starts at or after `position`. */
function firstFrom(frames: readonly RecoveredFrame[], position: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle] as RecoveredFrame).start < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
