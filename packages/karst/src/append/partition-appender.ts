import type { PartitionLog } from "@karst/core";
import { encodeBatch } from "@karst/records";
import { hasCode, isKarstError } from "@karst/runtime";
import { karstError } from "../errors.ts";
import type { Submission } from "./submission.ts";

/** A partition that records are appended to. */
export interface AppendTarget {
  readonly topic: string;
  readonly log: PartitionLog;
  /** Bytes up to which submissions share a batch. */
  readonly batchBytesMax: number;
}

/**
 * Appends submissions, none of them conditional, as one batch; they settle when it is durable.
 *
 * A batch that is refused as `invalid` is offered again submission by submission, so that one bad record fails nobody else's; what
 * then is invalid is rejected here.
 *
 * @throws what the log refuses with otherwise: nothing of `submissions` that still waits was taken.
 */
export function appendTogether(target: AppendTarget, submissions: readonly Submission[]): void {
  const waiting = submissions.filter((submission) => submission.state === "waiting");
  if (waiting.length === 0) return;
  try {
    appendBatch(target, waiting);
  } catch (error) {
    if (!isKarstError(error, "invalid")) throw error;
    if (waiting.length === 1) {
      waiting[0]?.reject(error);
      return;
    }
    for (const submission of waiting) appendTogether(target, [submission]);
  }
}

/** Appends one submission under its condition. A failed condition is told only once what it was compared with is durable. */
export function appendConditionally(target: AppendTarget, submission: Submission): void {
  if (submission.state !== "waiting") return;
  const { log } = target;
  const seen = log.logEndOffset;
  try {
    appendBatch(target, [submission]);
  } catch (error) {
    if (!hasCode(error, "OFFSET_CONDITION_FAILED")) throw error;
    submission.take();
    whenDurable(log, seen, (durable) => submission.reject(durable ? error : undecided(target)));
  }
}

/** Appends submissions as one batch. @throws what the log refuses with: then nothing was taken. */
export function appendBatch(target: AppendTarget, submissions: readonly Submission[]): void {
  const records =
    submissions.length === 1 && submissions[0] !== undefined
      ? submissions[0].records
      : submissions.flatMap((submission) => submission.records);
  const ifOffset = submissions[0]?.ifOffset;
  const { topic, log } = target;
  const pending = log.append(encodeBatch(records), ifOffset === undefined ? {} : { ifOffset });
  for (const submission of submissions) submission.take();
  pending.durable.then(
    () => {
      let offset = pending.baseOffset;
      for (const submission of submissions) {
        const endOffset = offset + submission.records.length;
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
