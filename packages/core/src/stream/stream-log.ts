import type { StreamState } from "./stream.ts";

/**
 * What the engine knows of one stream that it owns, whether a handle is open or not.
 *
 * Invariants: committedEnd and highWatermark only grow, logStartOffset too; logStartOffset ≤ highWatermark ≤ logEndOffset once
 * the stream is open; what lies at or above committedEnd is in the log cache.
 */
export class StreamLog {
  readonly streamId: number;
  readonly epoch: number;
  logStartOffset: number;
  /** First offset that is not durable. */
  highWatermark: number;
  logEndOffset: number;
  /** First offset that no object holds. */
  committedEnd: number;
  /** A handle is open, or about to be. */
  isOpen = false;
  /** Encoded at each cut; of the last handle that was open. */
  state: StreamState | undefined;
  /** As of where the newest state block is that the catalogue has; of use to whoever has a state only. */
  stateOffset = 0;
  /** Settles with the last append. Has a rejection handler. */
  lastAppend: Promise<void> = Promise.resolve();
  /** Why nothing can be appended any more. */
  fault: Error | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(options: {
    readonly streamId: number;
    readonly epoch: number;
    readonly logStartOffset: number;
    readonly committedEnd: number;
  }) {
    this.streamId = options.streamId;
    this.epoch = options.epoch;
    this.logStartOffset = options.logStartOffset;
    this.committedEnd = options.committedEnd;
    this.highWatermark = options.committedEnd;
    this.logEndOffset = options.committedEnd;
  }

  /** Nobody has it open, and the catalogue knows all that is known here. */
  get isForgettable(): boolean {
    return !this.isOpen && this.fault === undefined && this.committedEnd === this.logEndOffset;
  }

  onAdvance(listener: () => void): () => void {
    // A fresh function each time: subscribing the same one twice is two subscriptions.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Ends appending for ever; the first reason stays. */
  fail(error: Error, report: (error: unknown) => void): void {
    if (this.fault !== undefined) return;
    this.fault = error;
    this.notify(report);
  }

  /** Tells everyone; what a listener throws is its own affair, and reported. */
  notify(report: (error: unknown) => void): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        report(error);
      }
    }
  }
}
