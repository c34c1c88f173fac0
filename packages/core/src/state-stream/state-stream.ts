import type { StateChange } from "./state-changes.ts";
import type { StateEntry } from "./state-image.ts";

/** Taken, in order, and not yet durable. */
export interface PendingWrite {
  /**
   * Resolves when durable, and with it every write before. Has a rejection handler already: ignoring it is safe. Rejects with
   * `indeterminate` (`APPEND_UNKNOWN`) where the write may or may not survive: the state then has to be loaded again.
   */
  readonly durable: Promise<void>;
}

/** A coordinator's state: keys with values, kept as a log of their changes in one stream of the engine. */
export interface StateStream {
  readonly streamId: number;
  readonly size: number;

  /** As of the last write, durable or not: what leaves the process must wait for `write`'s `durable`. Not to be modified. */
  get(key: Uint8Array): Uint8Array | undefined;
  entries(): Iterable<StateEntry>;
  /**
   * Changes the state; all of the changes survive a crash, or none. A key that occurs twice has the last of its values.
   *
   * @param changes copied before the call returns. Empty: nothing is written, and `durable` is that of the write before.
   * @throws KarstError, with nothing changed: `STATE_STREAM_FULL`, `MEMORY_BUDGET_EXCEEDED` (`unavailable`), `STATE_WRITE_TOO_LARGE`
   * (`invalid`), and what `Stream.append` throws.
   */
  write(changes: readonly StateChange[]): PendingWrite;
  /** Settles with the last write; resolved where there was none. Has a rejection handler. */
  readonly durable: Promise<void>;
  /** Ends the handle, and forgets the state, after its writes have settled. */
  close(): Promise<void>;
}
