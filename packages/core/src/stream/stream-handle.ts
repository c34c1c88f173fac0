import type { Logger } from "@karst/runtime";
import type { Lifecycle } from "../engine-lifecycle.ts";
import { coreError } from "../errors.ts";
import type { NodeCommitter } from "../upload/node-committer.ts";
import { trimStream } from "../upload/trim-stream.ts";
import type { Uploader } from "../upload/uploader.ts";
import type { Appender } from "./appender.ts";
import type { References } from "./references.ts";
import type { AppendInput, PendingAppend, ReadOptions, Stream, StreamRead } from "./stream.ts";
import type { StreamLog } from "./stream-log.ts";
import type { FoundBatch, StreamReader } from "./stream-reader.ts";

/** The parts of an engine that its streams use. */
export interface StreamParts {
  readonly nodeId: string;
  readonly appender: Appender;
  readonly reader: StreamReader;
  readonly uploader: Uploader;
  readonly committer: NodeCommitter;
  readonly references: References;
  readonly lifecycle: Lifecycle;
  readonly log: Logger;
}

/** One open handle: refuses once closed, and leaves the work to the engine's parts. */
export class StreamHandle implements Stream {
  readonly #log: StreamLog;
  readonly #parts: StreamParts;
  readonly #onClosed: () => void;
  /** On their way. */
  readonly #trims = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(log: StreamLog, parts: StreamParts, onClosed: () => void) {
    this.#log = log;
    this.#parts = parts;
    this.#onClosed = onClosed;
  }

  get streamId(): number {
    return this.#log.streamId;
  }

  get epoch(): number {
    return this.#log.epoch;
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset;
  }

  get highWatermark(): number {
    return this.#log.highWatermark;
  }

  get logEndOffset(): number {
    return this.#log.logEndOffset;
  }

  append(input: AppendInput): PendingAppend {
    this.#checkOpen();
    return this.#parts.appender.append(this.#log, input);
  }

  async read(options: ReadOptions): Promise<StreamRead> {
    this.#checkReadable();
    return this.#parts.reader.read(this.#log, options);
  }

  readCached(options: ReadOptions): StreamRead | undefined {
    this.#checkReadable();
    return this.#parts.reader.readCached(this.#log, options);
  }

  async findByTimestamp(timestampMs: number): Promise<FoundBatch | undefined> {
    this.#checkReadable();
    return this.#parts.reader.findByTimestamp(this.#log, timestampMs);
  }

  onAdvance(listener: () => void): () => void {
    return this.#log.onAdvance(listener);
  }

  async trim(before: number): Promise<void> {
    this.#checkOpen();
    this.#parts.lifecycle.checkOpen();
    const log = this.#log;
    if (!Number.isSafeInteger(before) || before < 0) throw new TypeError(`offset ${before}`);
    if (before > log.highWatermark) {
      throw coreError(
        "OFFSET_OUT_OF_RANGE",
        `cannot trim stream ${log.streamId} before ${before}: its high watermark is ${log.highWatermark}`,
      );
    }
    if (before <= log.logStartOffset) return;
    const trimming = this.#trim(before);
    this.#trims.add(trimming);
    try {
      await trimming;
    } finally {
      this.#trims.delete(trimming);
    }
  }

  async upload(): Promise<void> {
    this.#checkOpen();
    await this.#parts.uploader.flush();
    if (this.#log.fault !== undefined) throw this.#log.fault;
  }

  close(): Promise<void> {
    this.#closing ??= this.#settle();
    return this.#closing;
  }

  async #trim(before: number): Promise<void> {
    const log = this.#log;
    const { committer, nodeId, references } = this.#parts;
    // What came after the newest state block is still needed to make the state of it.
    const deadBefore = log.state === undefined ? before : Math.min(before, log.stateOffset);
    const trim = { streamId: log.streamId, streamEpoch: log.epoch, nodeId, before, deadBefore };
    const dead = references.of(log.streamId).objectsBelow(deadBefore);
    await committer.commit((draft) => trimStream(draft, trim, dead), { patient: false });
    if (before <= log.logStartOffset) return;
    log.logStartOffset = before;
    references.of(log.streamId).dropBelow(deadBefore);
    log.notify((error) => this.#report(error));
  }

  /** Its appends and trims have settled, one way or the other, when it resolves: who opens the stream next begins where they left it. */
  async #settle(): Promise<void> {
    await Promise.allSettled([this.#log.lastAppend, ...this.#trims]);
    this.#onClosed();
    this.#log.notify((error) => this.#report(error));
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw coreError("STREAM_CLOSED", `the handle of stream ${this.#log.streamId} is closed`);
    if (this.#log.fault !== undefined) throw this.#log.fault;
  }

  #checkReadable(): void {
    if (this.#closing !== undefined)
      throw coreError("STREAM_CLOSED", `the handle of stream ${this.#log.streamId} is closed`);
    this.#parts.lifecycle.checkReadable();
  }

  #report(error: unknown): void {
    this.#parts.log.error("advance-listener-failed", {
      streamId: this.#log.streamId,
      reason: String(error),
    });
  }
}
