import { isKarstError } from "@karst/runtime";
import type { StateStreamKind } from "../catalogue/rows/state-stream-row.ts";
import type { Engine } from "../engine.ts";
import { coreError } from "../errors.ts";
import type { Stream } from "../stream/stream.ts";
import type { StateStreamLimits } from "./limits.ts";
import { encodeStateChanges, partsOf, type StateChange } from "./state-changes.ts";
import { encodeStateFrame, FRAME_OVERHEAD_BYTES, type StateFrame } from "./state-frame.ts";
import type { StateEntry, StateImage } from "./state-image.ts";
import type { PendingWrite, StateStream } from "./state-stream.ts";

export interface LoggedStateOptions {
  readonly engine: Engine;
  readonly kind: StateStreamKind;
  readonly stream: Stream;
  readonly limits: StateStreamLimits;
  readonly image: StateImage;
  readonly loggedBytes: number;
}

/**
 * A state and its log.
 *
 * A snapshot puts every key again, in small writes between the others', and ends with a frame that says where it began; then what
 * lies before that is trimmed. Half a snapshot changes nothing, since it puts what is there. So the log holds at most about three
 * images and `snapshotBytesMin`.
 *
 * Invariants: the image is what the stream's frames below `logEndOffset` make of nothing; at most one snapshot is being written; the
 * stream is trimmed only below the start of a snapshot whose end frame is durable and in an object.
 */
export class LoggedState implements StateStream {
  readonly #engine: Engine;
  readonly #kind: StateStreamKind;
  readonly #stream: Stream;
  readonly #limits: StateStreamLimits;
  readonly #image: StateImage;
  readonly #partBytesMax: number;
  /** Appended since the start of the newest snapshot that was tried. */
  #loggedBytes: number;
  #snapshotting = false;
  #closed = false;
  #durable: Promise<void> = Promise.resolve();

  constructor(options: LoggedStateOptions) {
    this.#engine = options.engine;
    this.#kind = options.kind;
    this.#stream = options.stream;
    this.#limits = options.limits;
    this.#image = options.image;
    this.#loggedBytes = options.loggedBytes;
    this.#partBytesMax = Math.min(
      options.limits.partBytesMax,
      options.engine.limits.batchBytesMax - FRAME_OVERHEAD_BYTES,
    );
  }

  get streamId(): number {
    return this.#stream.streamId;
  }

  get size(): number {
    return this.#image.size;
  }

  get durable(): Promise<void> {
    return this.#durable;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#image.get(key);
  }

  entries(): Iterable<StateEntry> {
    return this.#image.entries();
  }

  write(changes: readonly StateChange[]): PendingWrite {
    if (this.#closed) throw coreError("STREAM_CLOSED", `the state of ${this.#kind} is closed`);
    if (changes.length === 0) return { durable: this.#durable };
    const bytes = encodeStateChanges(changes);
    const { imageBytesMax, writeBytesMax } = this.#limits;
    if (bytes.length > writeBytesMax) {
      throw coreError(
        "STATE_WRITE_TOO_LARGE",
        `a write of ${bytes.length} bytes to the state of ${this.#kind}; at most ${writeBytesMax} are allowed`,
      );
    }
    const growth = this.#image.growth(changes);
    if (growth > 0 && this.#image.bytes + growth > imageBytesMax) {
      throw coreError(
        "STATE_STREAM_FULL",
        `the state of ${this.#kind} takes ${this.#image.bytes} bytes; at most ${imageBytesMax} are allowed`,
      );
    }
    this.#image.change(changes, growth, () => this.#append(bytes));
    if (this.#isSnapshotDue) {
      this.#snapshotting = true;
      const ended = (): void => {
        this.#snapshotting = false;
      };
      this.#snapshot().then(ended, ended);
    }
    return { durable: this.#durable };
  }

  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.#stream.close();
    } finally {
      this.#image.close();
    }
  }

  get #isSnapshotDue(): boolean {
    const due = Math.max(this.#limits.snapshotBytesMin, 2 * this.#image.bytes);
    return !this.#snapshotting && !this.#closed && this.#loggedBytes > due;
  }

  /** All parts in one turn, so that no other write comes between them. */
  #append(changes: Uint8Array): void {
    for (const frame of partsOf(changes, this.#partBytesMax)) this.#appendFrame(frame);
  }

  #appendFrame(frame: StateFrame): void {
    const payload = encodeStateFrame(frame);
    this.#durable = this.#stream.append({ payload, count: 1, maxTimestampMs: -1 }).durable;
    this.#loggedBytes += payload.length;
  }

  /** Never rejects: what keeps a snapshot from being written keeps the log longer, and it is tried again after more writes. */
  async #snapshot(): Promise<void> {
    const { log } = this.#engine.runtime;
    const { streamId } = this.#stream;
    this.#loggedBytes = 0;
    try {
      const from = await this.#writeSnapshot();
      if (this.#closed) return;
      // Its WAL may be given up for lost, and then the objects alone must tell everything.
      await this.#stream.upload();
      await this.#stream.trim(from);
      log.info("state-snapshot", { kind: this.#kind, streamId, from, entries: this.#image.size });
    } catch (error) {
      if (this.#closed) return;
      const reason = isKarstError(error) ? error.message : String(error);
      log.warn("state-snapshot-failed", { kind: this.#kind, streamId, reason });
    }
  }

  /** Returns where it begins, once it is durable. */
  async #writeSnapshot(): Promise<number> {
    const from = this.#stream.logEndOffset;
    // Keys that come later, or come again, are in the log after `from` anyhow.
    let left = this.#image.size;
    let changes: StateEntry[] = [];
    let bytes = 0;
    for (const entry of this.#image.entries()) {
      if (left === 0) break;
      left -= 1;
      changes.push(entry);
      bytes += entry.key.length + entry.value.length;
      if (bytes < this.#partBytesMax && left > 0) continue;
      this.#append(encodeStateChanges(changes));
      changes = [];
      bytes = 0;
      await this.#durable;
      if (this.#closed) return from;
    }
    if (changes.length > 0) this.#append(encodeStateChanges(changes));
    this.#appendFrame({ tag: "snapshot end", from });
    await this.#durable;
    return from;
  }
}
