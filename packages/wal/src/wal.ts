import type { Slab } from "@karst/runtime";

declare const positionBrand: unique symbol;

/** A place in one WAL: opaque, totally ordered by `<`, never reused. `0` is before everything. */
export type WalPosition = number & { readonly [positionBrand]: true };

export const WAL_START: WalPosition = 0 as WalPosition;

/** One entry of the log: a batch of one stream, at the offsets that its stream gave it. */
export interface Frame {
  readonly streamId: number;
  readonly streamEpoch: number;
  readonly baseOffset: number;
  /** Offsets that the batch occupies: `[baseOffset, baseOffset + count)`. */
  readonly count: number;
  /** Largest record timestamp inside, milliseconds since 1970; -1: none. */
  readonly maxTimestampMs: number;
  readonly payload: Uint8Array;
}

/** Where an appended frame is. `payload` is a view of `slab`, valid as long as the slab is held. */
export interface AppendedFrame {
  readonly start: WalPosition;
  /** The append is durable once the durable position reached this. */
  readonly end: WalPosition;
  readonly payload: Uint8Array;
  readonly slab: Slab;
}

/** A frame that survived; the receiver must `slab.release()` once, as for an appended one. */
export interface RecoveredFrame extends Frame {
  readonly start: WalPosition;
  readonly end: WalPosition;
  readonly slab: Slab;
}

/** Told in order, one at a time, never from inside `append`. */
export interface WalListener {
  /** Everything below `position` is durable: a sync that began after its last byte was written has succeeded. */
  durable(position: WalPosition): void;
  /** The instance has failed for ever: nothing that was not durable before will be. Called at most once. */
  failed(error: Error): void;
}

/**
 * The write-ahead log of one node, shared by its streams.
 *
 * 1. `append` gives positions in call order; `durable` reports a growing prefix of them.
 * 2. A failed sync is terminal (`WAL_FAILED`): every later call rejects; recovery by a new instance decides what survived.
 * 3. Once a later claim of the same WAL exists, no append of this instance is reported durable (`WAL_FENCED`).
 * 4. Only what the owner trimmed is ever removed.
 */
export interface Wal {
  readonly walId: string;
  readonly kind: WalKind;
  /** Position below which everything is durable. */
  readonly durablePosition: WalPosition;
  /** Position after the last appended frame. */
  readonly endPosition: WalPosition;
  /** Bytes appended and not durable yet. */
  readonly pendingBytes: number;

  /**
   * Copies the frame into the log's memory and schedules its group; returns before it is durable.
   * The caller owns one reference of the returned slab and must release it once.
   *
   * @throws KarstError `FRAME_TOO_LARGE` (`invalid`); `WAL_FENCED` (`fenced`); `WAL_FAILED`, `WAL_CLOSED` (`closed`);
   * `WAL_FULL`, `WAL_BACKLOG_FULL`, `MEMORY_BUDGET_EXCEEDED` (`unavailable`): nothing was taken.
   */
  append(frame: Frame): AppendedFrame;
  /** Resolves when everything appended before the call is durable; rejects if that cannot happen any more. */
  flush(): Promise<void>;
  /** A copy of the bytes of one frame's payload, from memory or disk. `start` as returned by append or recovery, not trimmed. */
  read(start: WalPosition): Promise<Frame>;
  /**
   * Allows the log to forget everything below `position`. The owner has made that trim durable in the node record before.
   * Frames straddling stay.
   */
  trim(position: WalPosition): Promise<void>;
  /** Flushes, writes the final watermark and ends. Settles every append. */
  close(): Promise<void>;
  /** Removes the (fully trimmed) log from its place, after its owner has recorded it as drained. Ends the instance. */
  destroy(): Promise<void>;
  /**
   * Ends at once, as a crash would: what is not durable may be lost, `failed` is not called, pending flushes reject. Gives back
   * what the instance holds of this process, so that the WAL can be claimed again.
   */
  abandon(): Promise<void>;
}

export type WalKind = "file" | "memory" | "object";

/** What a claim says of itself. */
export interface ClaimFacts {
  readonly walId: string;
  /** Minted with the WAL, never defaulted. */
  readonly nodeId: string;
  readonly kind: WalKind;
  /** Grows with each claim of this WAL, from 1. */
  readonly epoch: number;
  /** Whether this claim created the WAL. */
  readonly fresh: boolean;
  /** Where it is, for messages; a file WAL's directory. */
  readonly location: string;
}

/**
 * Exclusive right to recover and continue one WAL; whoever claims later fences this one. The order at open is:
 * claim, *then* re-read the catalogue, then recover.
 */
export interface WalClaim extends ClaimFacts {
  /**
   * Reads the log above `trim`, accepts its durable prefix, makes that prefix durable again where it may not be, hands the
   * frames over in order, and continues after them.
   *
   * @throws KarstError `WAL_CORRUPT` (`corrupt`), naming file and position, having changed nothing.
   */
  recover(options: {
    readonly trim: WalPosition;
    /** Called once the log has been found whole, and before anything of it is changed; what it rejects with ends the recovery. */
    readonly accept?: () => Promise<void>;
    readonly onFrame: (frame: RecoveredFrame) => void;
    readonly listener: WalListener;
  }): Promise<Wal>;
  /**
   * Looks whether this is still the newest claim, as far as its place tells.
   *
   * @throws KarstError `WAL_IN_USE` (`conflict`), `WAL_FENCED` (`fenced`): a later one exists.
   */
  checkNewest(): Promise<void>;
  /** Gives the claim back without recovering. */
  release(): Promise<void>;
}

/** How an engine comes by its WAL. */
export interface WalFactory {
  readonly kind: WalKind;
  /**
   * Creates the WAL if its place is empty, and claims it for the root.
   *
   * @param options.admit is told what the claim will be before anything is changed, a fence made or a WAL begun; what it throws
   * refuses the claim. Only what is known after the claim is certain: this is so that a refusal leaves no trace, and is no more
   * likely to be overcome the next time.
   * @throws KarstError `WAL_FOREIGN` (`invalid`): it belongs to another root, or the directory is not a WAL's; `WAL_IN_USE`
   * (`conflict`): another live process holds it; `WAL_CORRUPT`, `WAL_VERSION` (`corrupt`).
   */
  claim(options: {
    readonly rootId: string;
    readonly admit?: (facts: ClaimFacts) => void;
  }): Promise<WalClaim>;
}
