import { hasCode, type MemoryBudget } from "@karst/runtime";
import { type AppendedFrame, type Frame, type Wal, walError } from "@karst/wal";
import { ENTRY_OVERHEAD_BYTES } from "../cache/generation.ts";
import type { LogCache } from "../cache/log-cache.ts";
import type { Lifecycle } from "../engine-lifecycle.ts";
import type { EngineMetrics } from "../engine-metrics.ts";
import { coreError } from "../errors.ts";
import { BATCH_COUNT_MAX, GAP_OFFSETS_MAX, type Limits } from "../limits.ts";
import type { Durability } from "./durability.ts";
import type { AppendInput, PendingAppend } from "./stream.ts";
import type { StreamLog } from "./stream-log.ts";

export interface AppenderOptions {
  readonly wal: Wal;
  readonly cache: LogCache;
  readonly durability: Durability;
  readonly memory: MemoryBudget;
  readonly limits: Limits;
  readonly lifecycle: Lifecycle;
  readonly metrics: EngineMetrics;
  /** After each append: an upload may be due. `pressed`: an append was refused for want of room. */
  readonly onAppended: (pressed: boolean) => void;
}

const NOTHING = new Uint8Array(0);

/** Gives batches their offsets and puts them into WAL and log cache, in one synchronous step. */
export class Appender {
  readonly #options: AppenderOptions;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** @throws as `Stream.append`. */
  append(log: StreamLog, input: AppendInput): PendingAppend {
    this.#options.lifecycle.checkOpen();
    if (log.fault !== undefined) throw log.fault;
    const baseOffset = this.#check(log, input);
    this.#makeRoom(input.payload.length, holesBefore(log, baseOffset));
    if (baseOffset > log.logEndOffset) this.raise(log, baseOffset);
    this.#put(log, baseOffset, input);
    return { baseOffset, endOffset: log.logEndOffset, durable: log.lastAppend };
  }

  /** Makes the offsets from the log's end up to `offset` a hole, on record. */
  raise(log: StreamLog, offset: number): void {
    while (log.logEndOffset < offset) {
      const count = Math.min(offset - log.logEndOffset, BATCH_COUNT_MAX);
      this.#put(log, log.logEndOffset, { payload: NOTHING, count, maxTimestampMs: -1 });
    }
  }

  #check(log: StreamLog, input: AppendInput): number {
    const { payload, count, maxTimestampMs } = input;
    if (payload.length === 0) throw new TypeError("an empty batch");
    if (!Number.isSafeInteger(count) || count < 1 || count > BATCH_COUNT_MAX)
      throw new TypeError(`a batch of ${count} offsets`);
    if (!Number.isSafeInteger(maxTimestampMs) || maxTimestampMs < -1)
      throw new TypeError(`timestamp ${maxTimestampMs}`);
    const baseOffset = input.baseOffset ?? log.logEndOffset;
    if (!Number.isSafeInteger(baseOffset) || !Number.isSafeInteger(baseOffset + count))
      throw new TypeError(`offset ${baseOffset}`);
    if (baseOffset < log.logEndOffset) {
      throw coreError(
        "OFFSET_BEFORE_END",
        `offset ${baseOffset} is below the end of stream ${log.streamId}, ${log.logEndOffset}`,
      );
    }
    if (baseOffset - log.logEndOffset > GAP_OFFSETS_MAX) {
      throw coreError(
        "OFFSET_BEYOND_END",
        `offset ${baseOffset} is too far above the end of stream ${log.streamId}, ${log.logEndOffset}`,
      );
    }
    // What could never be taken is not "full for now".
    const { limits } = this.#options;
    const batchBytesMax = Math.min(
      limits.batchBytesMax,
      limits.unuploadedBytesMax - (1 + holesBefore(log, baseOffset)) * ENTRY_OVERHEAD_BYTES,
    );
    if (payload.length > batchBytesMax) {
      throw walError(
        "FRAME_TOO_LARGE",
        `a batch of ${payload.length} bytes; at most ${batchBytesMax} are allowed`,
      );
    }
    return baseOffset;
  }

  /** Refuses before anything is buffered. @param holes on record before the batch. */
  #makeRoom(bytes: number, holes: number): void {
    const { cache, limits, memory, metrics, onAppended } = this.#options;
    const entryBytes = bytes + (1 + holes) * ENTRY_OVERHEAD_BYTES;
    if (cache.unuploadedBytes + entryBytes > limits.unuploadedBytesMax) {
      metrics.backlogRefusals.add(1);
      onAppended(true);
      throw coreError(
        "UPLOAD_BACKLOG_FULL",
        `${cache.unuploadedBytes} bytes wait for the object store; at most ${limits.unuploadedBytesMax} may`,
      );
    }
    // Whether this is enough is for the WAL's pool to say: it refuses by itself.
    memory.makeRoom(Math.max(bytes, limits.slabBytes) + 2 * ENTRY_OVERHEAD_BYTES);
  }

  #put(log: StreamLog, baseOffset: number, input: AppendInput): void {
    const { cache, durability } = this.#options;
    const { count, maxTimestampMs } = input;
    const frame = this.#frame({
      streamId: log.streamId,
      streamEpoch: log.epoch,
      baseOffset,
      count,
      maxTimestampMs,
      payload: input.payload,
    });
    const endOffset = baseOffset + count;
    cache.add(
      log.streamId,
      { baseOffset, endOffset, maxTimestampMs, payload: frame.payload, slab: frame.slab },
      frame.end,
    );
    log.logEndOffset = endOffset;
    durability.track(log, endOffset, frame.end, input.payload.length);
    this.#options.onAppended(false);
  }

  /** Appends to the WAL, with the entry's overhead reserved. Where memory is short, what is only kept to be read again goes first. */
  #frame(frame: Frame): AppendedFrame {
    const { wal, cache, memory, onAppended } = this.#options;
    for (;;) {
      try {
        return cache.reserving(() => wal.append(frame));
      } catch (error) {
        // The WAL's slabs may come from another budget than ours.
        if (hasCode(error, "MEMORY_BUDGET_EXCEEDED") && memory.evict()) continue;
        // An upload makes room in memory and in the WAL; a slow disk it would not help.
        if (hasCode(error, "MEMORY_BUDGET_EXCEEDED", "WAL_FULL")) onAppended(true);
        throw error;
      }
    }
  }
}

/** Entries that the offsets between the log's end and `baseOffset` take. */
function holesBefore(log: StreamLog, baseOffset: number): number {
  return Math.ceil((baseOffset - log.logEndOffset) / BATCH_COUNT_MAX);
}
