import type { Appended, AppendOptions } from "./append.ts";
import type { Bytes, BytesInput, Positions, RecordInput, TopicRecord } from "./record.ts";

export interface AppendSessionOptions {
  /** Bytes that may be submitted and not yet acknowledged. Default 4 MiB. One submission larger than this goes alone. */
  readonly bytesMax?: number | undefined;
  /** Aborting fails the session with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A submission that was accepted, not yet durable. */
export interface AppendTicket {
  /** Roughly, what it counts for in the session's bound. */
  readonly bytes: number;
  readonly count: number;
  /** Resolves when durable. May be called any number of times, or never: the failure of a ticket that nobody asks shows in `flush`. */
  ack(): Promise<Appended>;
}

/**
 * Appends in a row. Submissions reach each partition in order, and none overtakes one that was refused: what was certainly not
 * appended (`unavailable`) is offered again until it is taken; any other failure fails the session, its tickets and all later calls.
 */
export interface AppendSession<
  ValueInput = BytesInput,
  KeyInput = BytesInput,
> extends AsyncDisposable {
  /** Bytes submitted and not yet acknowledged. */
  readonly pendingBytes: number;
  /**
   * Resolves once there is room: awaiting it is the backpressure. The records are copied before it resolves.
   *
   * @throws KarstError as `append`, for what is wrong with the records themselves: the session goes on. `SESSION_CLOSED`,
   * `SESSION_FAILED` (`closed`), the latter with the first failure as cause.
   */
  submit(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options?: Pick<AppendOptions, "partition" | "ifOffset">,
  ): Promise<AppendTicket>;
  /** Resolves when everything submitted so far is durable. @throws KarstError `SESSION_FAILED` (`closed`). */
  flush(): Promise<void>;
  /** Accepts no more and flushes. A second call waits for the first. */
  close(): Promise<void>;
}

/** A reading with a place. One consumer at a time. */
export interface ReadSession<Value = Bytes, Key = Bytes>
  extends AsyncIterable<TopicRecord<Value, Key>>, AsyncDisposable {
  /** Where a new reading goes on after everything handed out so far; undefined before the first step. */
  readonly positions: Positions | undefined;
  /** High watermarks as last seen: `tail` minus `positions` is the lag. Undefined before the first step. */
  readonly tail: Positions | undefined;
  /**
   * The next records of one partition: at least one. Undefined at the end, which a reading that follows does not have.
   *
   * @throws what `Topic.read` throws. The same step can be tried again.
   */
  nextBatch(): Promise<readonly TopicRecord<Value, Key>[] | undefined>;
  /** Ends the reading; a pending step ends as if there were no more records. */
  close(): Promise<void>;
}
