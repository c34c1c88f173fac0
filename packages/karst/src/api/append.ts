export interface AppendOptions {
  /** Default: by the key, else the same for a while, then another. */
  readonly partition?: number | undefined;
  /** Append only if the partition's next offset is this one. */
  readonly ifOffset?: number | undefined;
  /**
   * Aborting stops the waiting and rejects with the signal's reason. What was not yet handed to the log is not appended; what was,
   * may be.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What an append resolves with, when it is durable. The records have the offsets `[offset, endOffset)`. */
export interface Appended {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly endOffset: number;
  /** Of the record; of several: the largest. Under LogAppendTime: the log's. */
  readonly timestampMs: number;
}
