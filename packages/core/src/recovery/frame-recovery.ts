import { isKarstError } from "@karst/runtime";
import type { RecoveredFrame } from "@karst/wal";
import type { Generation } from "../cache/generation.ts";
import type { LogCache } from "../cache/log-cache.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { counterRow } from "../catalogue/rows/counter-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { type StreamOwnerRow, streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import { coreError } from "../errors.ts";
import { StreamLog } from "../stream/stream-log.ts";
import { classifyFrame, type FrameFacts, type FrameRule } from "./classify.ts";

/** What the catalogue says of one stream, read once. */
interface KnownStream {
  readonly owner: StreamOwnerRow | undefined;
  readonly log: StreamLog;
}

/**
 * Sorts the frames of a WAL into streams' tails, by the table in `classify.ts`.
 *
 * Invariant: every frame handed over has its slab released, or is in the cache. After the first corrupt frame nothing is taken.
 */
export class FrameRecovery {
  readonly #catalogue: Pick<Catalogue, "get" | "scan">;
  readonly #nodeId: string;
  readonly #cache: LogCache;
  readonly #streams = new Map<number, KnownStream>();
  readonly #logs = new Map<number, StreamLog>();
  readonly #cutBytes: number;
  readonly #generations: Generation[] = [];
  #taken = 0;
  #skipped = 0;
  #fault: Error | undefined;

  /** @param options.cutBytes size at which the recovered tail is cut for upload. */
  constructor(options: {
    readonly catalogue: Pick<Catalogue, "get" | "scan">;
    readonly nodeId: string;
    readonly cache: LogCache;
    readonly cutBytes: number;
  }) {
    this.#catalogue = options.catalogue;
    this.#nodeId = options.nodeId;
    this.#cache = options.cache;
    this.#cutBytes = options.cutBytes;
  }

  get taken(): number {
    return this.#taken;
  }

  get skipped(): number {
    return this.#skipped;
  }

  /** Frames that cannot be: 0 or 1. */
  get refused(): number {
    return isKarstError(this.#fault, "corrupt") ? 1 : 0;
  }

  /** What was cut, in WAL order; the rest is in the cache's open generation. */
  get generations(): readonly Generation[] {
    return this.#generations;
  }

  /** The streams that have a tail. @throws KarstError `RECOVERY_CORRUPT` (`corrupt`), naming the first frame that cannot be. */
  finish(): Map<number, StreamLog> {
    if (this.#fault !== undefined) throw this.#fault;
    return this.#logs;
  }

  /** Never throws: a WAL driver is calling. */
  readonly add = (frame: RecoveredFrame): void => {
    if (this.#fault !== undefined) {
      frame.slab.release();
      return;
    }
    try {
      this.#add(frame);
    } catch (error) {
      this.#fault = error as Error;
      frame.slab.release();
    }
  };

  #add(frame: RecoveredFrame): void {
    const stream = this.#stream(frame.streamId);
    const rule = classifyFrame(this.#facts(frame, stream));
    switch (rule.verdict) {
      case "corrupt":
        throw corrupt(frame, stream.log, rule);
      case "skip":
        frame.slab.release();
        this.#skipped += 1;
        return;
      case "take":
        this.#take(frame, stream.log);
    }
  }

  #take(frame: RecoveredFrame, log: StreamLog): void {
    const { baseOffset, maxTimestampMs, payload, slab } = frame;
    const endOffset = baseOffset + frame.count;
    this.#cache.reserving(() =>
      this.#cache.add(
        log.streamId,
        { baseOffset, endOffset, maxTimestampMs, payload, slab },
        frame.end,
      ),
    );
    log.logEndOffset = endOffset;
    log.highWatermark = endOffset;
    this.#logs.set(log.streamId, log);
    this.#taken += 1;
    if (!this.#cache.isFull(this.#cutBytes)) return;
    const generation = this.#cache.cut();
    if (generation !== undefined) this.#generations.push(generation);
  }

  #facts(frame: RecoveredFrame, { owner, log }: KnownStream): FrameFacts {
    return {
      stream: this.#streamFact(frame.streamId, owner),
      epoch: epochFact(frame, owner, this.#nodeId),
      place: placeFact(frame, log),
    };
  }

  #streamFact(streamId: number, owner: StreamOwnerRow | undefined): FrameFacts["stream"] {
    if (owner !== undefined) return "known";
    const minted = counterRow.get(this.#catalogue, "streams")?.value.next ?? 0;
    return streamId < minted ? "deleted" : "newer";
  }

  #stream(streamId: number): KnownStream {
    const known = this.#streams.get(streamId);
    if (known !== undefined) return known;
    const owner = streamOwnerRow.get(this.#catalogue, streamId)?.value;
    const log = new StreamLog({
      streamId,
      epoch: owner?.streamEpoch ?? 0,
      logStartOffset: streamStartRow.get(this.#catalogue, streamId)?.value.offset ?? 0,
      committedEnd: streamEndRow.get(this.#catalogue, streamId)?.value.offset ?? 0,
    });
    const stream = { owner, log };
    this.#streams.set(streamId, stream);
    return stream;
  }
}

function epochFact(
  frame: RecoveredFrame,
  owner: StreamOwnerRow | undefined,
  nodeId: string,
): FrameFacts["epoch"] {
  if (owner === undefined || frame.streamEpoch > owner.streamEpoch) return "newer";
  if (owner.nodeId !== nodeId) return "foreign";
  return frame.streamEpoch < owner.streamEpoch ? "older" : "owned";
}

function placeFact(frame: RecoveredFrame, log: StreamLog): FrameFacts["place"] {
  if (frame.baseOffset + frame.count <= log.committedEnd) return "committed";
  if (frame.baseOffset === log.logEndOffset) return "next";
  return frame.baseOffset < log.logEndOffset ? "overlap" : "beyond";
}

function corrupt(frame: RecoveredFrame, log: StreamLog, rule: FrameRule): Error {
  return coreError(
    "RECOVERY_CORRUPT",
    `WAL frame at ${frame.start}, stream ${frame.streamId} epoch ${frame.streamEpoch} offsets ${frame.baseOffset} to ` +
      `${frame.baseOffset + frame.count}: ${rule.because} (epoch ${log.epoch}, committed to ${log.committedEnd}, log ends at ${log.logEndOffset})`,
  );
}
