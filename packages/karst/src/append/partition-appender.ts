import type { PartitionLog } from "@karst/core";
import {
  type BatchOptions,
  decodeBatch,
  type EncodedBatch,
  encodeRecords,
  type RecordInput,
} from "@karst/records";
import { hasCode, isKarstError } from "@karst/runtime";
import { karstError } from "../errors.ts";
import type { Submission } from "./submission.ts";

/** How batches are written, apart from what is in them. */
export type BatchEncoding = Pick<BatchOptions, "codec" | "compress">;

/** A partition that records are appended to. */
export interface AppendTarget {
  readonly topic: string;
  readonly log: PartitionLog;
  /** Bytes up to which submissions share a batch, before compression. */
  readonly sharedBytesMax: number;
  readonly encoding: BatchEncoding;
}

/**
 * Appends the batch that submissions, none of them conditional, share; they settle when it is durable.
 *
 * A batch that is refused as `invalid` is offered again submission by submission, so that one bad record fails nobody else's; what
 * then is invalid is rejected here. What no longer waits is left out.
 *
 * @param batch of the records of `submissions`, in their order.
 * @throws what the log refuses with otherwise: nothing of `submissions` that still waits was taken.
 */
export function appendTogether(
  target: AppendTarget,
  batch: EncodedBatch,
  submissions: readonly Submission[],
): void {
  if (submissions.some((submission) => submission.state !== "waiting")) {
    const shares = sharesOf(batch, submissions).filter(
      ({ submission }) => submission.state === "waiting",
    );
    if (shares.length === 0) return;
    const rest = encodeRecords(
      shares.flatMap(({ records }) => records),
      target.encoding,
    );
    appendTogether(
      target,
      rest,
      shares.map(({ submission }) => submission),
    );
    return;
  }
  try {
    appendBatch(target, batch, submissions);
  } catch (error) {
    if (!isKarstError(error, "invalid")) throw error;
    if (submissions.length === 1) {
      submissions[0]?.reject(error);
      return;
    }
    for (const { submission, records } of sharesOf(batch, submissions)) {
      appendTogether(target, encodeRecords(records, target.encoding), [submission]);
    }
  }
}

/** Appends a submission that shares its batch with none: a conditional one, or a large one. Throws as `appendTogether`. */
export function appendAlone(target: AppendTarget, submission: Submission): void {
  if (submission.ifOffset !== undefined) appendConditionally(target, submission);
  else appendTogether(target, encodeRecords(submission.records, target.encoding), [submission]);
}

/** Appends one submission under its condition. A failed condition is told only once what it was compared with is durable. */
export function appendConditionally(target: AppendTarget, submission: Submission): void {
  if (submission.state !== "waiting") return;
  const { log } = target;
  const seen = log.logEndOffset;
  try {
    appendBatch(target, encodeRecords(submission.records, target.encoding), [submission]);
  } catch (error) {
    if (!hasCode(error, "OFFSET_CONDITION_FAILED")) throw error;
    submission.take();
    whenDurable(log, seen, (durable) => submission.reject(durable ? error : undecided(target)));
  }
}

/** Appends the batch of `submissions`. @throws what the log refuses with: then nothing was taken. */
export function appendBatch(
  target: AppendTarget,
  batch: EncodedBatch,
  submissions: readonly Submission[],
): void {
  const ifOffset = submissions[0]?.ifOffset;
  const { topic, log } = target;
  const pending = log.append(batch, ifOffset === undefined ? {} : { ifOffset });
  for (const submission of submissions) submission.take();
  pending.durable.then(
    () => {
      let offset = pending.baseOffset;
      for (const submission of submissions) {
        const endOffset = offset + submission.count;
        const timestampMs =
          pending.logAppendTimeMs === -1 ? submission.timestampMs : pending.logAppendTimeMs;
        submission.resolve({ topic, partition: log.partition, offset, endOffset, timestampMs });
        offset = endOffset;
      }
    },
    (error: Error) => {
      for (const submission of submissions) submission.reject(error);
    },
  );
}

interface Share {
  readonly submission: Submission;
  readonly records: readonly RecordInput[];
}

/** What each of them put into the batch. Their callers may have written to their buffers since, so it is read from the batch. */
function sharesOf(batch: EncodedBatch, submissions: readonly Submission[]): readonly Share[] {
  const all = decodeBatch(batch.bytes);
  let end = 0;
  return submissions.map((submission) => {
    end += submission.count;
    return { submission, records: all.slice(end - submission.count, end) };
  });
}

/** Calls back once everything below `offset` is durable, or once the log's handle has ended before. */
function whenDurable(log: PartitionLog, offset: number, done: (durable: boolean) => void): void {
  const decided = (): boolean => log.highWatermark >= offset || log.closed;
  if (decided()) {
    done(log.highWatermark >= offset);
    return;
  }
  const unsubscribe = log.onAdvance(() => {
    if (!decided()) return;
    unsubscribe();
    done(log.highWatermark >= offset);
  });
}

function undecided({ topic, log }: AppendTarget): Error {
  return karstError(
    "CONDITION_UNDECIDED",
    `partition ${log.partition} of ${topic} ended before it was certain what ifOffset was compared with; nothing was appended`,
  );
}
