import type { ObjectBody, ObjectStore } from "@karst/objectstore";
import { concatBytes } from "@karst/runtime";
import type { AppendedFrame, Frame, Wal, WalPosition } from "@karst/wal";
import type { Invariants } from "./invariants.ts";
import { uploadedRanges } from "./uploaded-ranges.ts";

/** What the limit counts for every batch, and for every hole, beside its payload. */
const OVERHEAD_BYTES = 256;

const OBJECTS = "objects/";

interface Appended {
  readonly streamId: number;
  readonly startOffset: number;
  readonly end: number;
  /** As the limit counts them. */
  readonly bytes: number;
}

/**
 * What one process has appended, from its WAL's answers and reports alone: what is not durable yet must be in no object, and what is
 * not trimmed, which is what is not uploaded, must stay within the limit.
 *
 * Invariants: both lists are in WAL order. What was recovered is in neither: it is durable, and was within its own process's limit.
 */
export class Backlog {
  readonly #invariants: Invariants;
  readonly #bytesMax: number;
  #inDoubt: Appended[] = [];
  #untrimmed: Appended[] = [];
  #bytes = 0;

  /** @param bytesMax the engine's limit of what is not uploaded. */
  constructor(invariants: Invariants, bytesMax: number) {
    this.#invariants = invariants;
    this.#bytesMax = bytesMax;
  }

  /** The WAL was told that it is durable. */
  durable(position: number): void {
    this.#inDoubt = this.#inDoubt.filter(({ end }) => end > position);
  }

  appended({ streamId, baseOffset, payload }: Frame, { end }: AppendedFrame): void {
    const bytes = payload.length + OVERHEAD_BYTES;
    const appended = { streamId, startOffset: baseOffset, end, bytes };
    this.#inDoubt.push(appended);
    this.#untrimmed.push(appended);
    this.#bytes += bytes;
    this.#invariants.check(
      "W10",
      this.#bytes <= this.#bytesMax,
      () => `${this.#bytes} bytes are in no object, the limit is ${this.#bytesMax}`,
    );
  }

  trimmed(position: number): void {
    this.#untrimmed = this.#untrimmed.filter(({ end, bytes }) => {
      if (end > position) return true;
      this.#bytes -= bytes;
      return false;
    });
  }

  /** Its WAL, so that this hears of what is done with it. */
  wal(wal: Wal): Wal {
    return new OverheardWal(wal, this);
  }

  /** Its store, likewise. */
  store(store: ObjectStore): ObjectStore {
    return {
      capabilities: store.capabilities,
      location: store.location,
      put: (key, body, options) => store.put(key, body, options),
      putIfAbsent: (key, body, options) => {
        if (key.startsWith(OBJECTS)) this.#uploads(key, body);
        return store.putIfAbsent(key, body, options);
      },
      putIfMatch: (key, body, etag, options) => store.putIfMatch(key, body, etag, options),
      get: (key, options) => store.get(key, options),
      head: (key, options) => store.head(key, options),
      list: (prefix, options) => store.list(prefix, options),
      delete: (keys, options) => store.delete(keys, options),
      createMultipart: (key, options) => store.createMultipart(key, options),
      close: () => store.close(),
    };
  }

  #uploads(key: string, body: ObjectBody): void {
    const bytes = body instanceof Uint8Array ? body : concatBytes(body);
    for (const { streamId, end } of uploadedRanges(bytes)) {
      const early = this.#inDoubt.find((one) => one.streamId === streamId && one.startOffset < end);
      this.#invariants.check(
        "W2",
        early === undefined,
        () =>
          `${key} has stream ${streamId} up to ${end}, and ${early?.startOffset} is not durable in the WAL`,
      );
    }
  }
}

class OverheardWal implements Wal {
  readonly kind: Wal["kind"];
  readonly walId: string;
  readonly #wal: Wal;
  readonly #backlog: Backlog;

  constructor(wal: Wal, backlog: Backlog) {
    this.kind = wal.kind;
    this.walId = wal.walId;
    this.#wal = wal;
    this.#backlog = backlog;
  }

  get durablePosition(): WalPosition {
    return this.#wal.durablePosition;
  }

  get endPosition(): WalPosition {
    return this.#wal.endPosition;
  }

  get pendingBytes(): number {
    return this.#wal.pendingBytes;
  }

  append(frame: Frame): AppendedFrame {
    const appended = this.#wal.append(frame);
    this.#backlog.appended(frame, appended);
    return appended;
  }

  trim(position: WalPosition): Promise<void> {
    this.#backlog.trimmed(position);
    return this.#wal.trim(position);
  }

  flush(): Promise<void> {
    return this.#wal.flush();
  }

  read(start: WalPosition): Promise<Frame> {
    return this.#wal.read(start);
  }

  close(): Promise<void> {
    return this.#wal.close();
  }

  destroy(): Promise<void> {
    return this.#wal.destroy();
  }

  abandon(): Promise<void> {
    return this.#wal.abandon();
  }
}
