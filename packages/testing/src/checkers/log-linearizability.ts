import { EMPTY_LOG, type InitialLog, type LogOperation } from "./history.ts";
import type { LogVerdict } from "./log-anomaly.ts";
import { collectFacts } from "./log-facts.ts";
import { checkStart } from "./log-start.ts";
import { scheduleTail } from "./log-tail.ts";

/**
 * Whether one log, changing one operation at a time, could have answered as it did: each at some moment between its beginning and its
 * end, appends of unknown outcome at any time after they began, or never. O(n log n): an append that succeeded says where it is.
 *
 * @param initial The log before the history.
 * @throws TypeError The history is malformed: two appends of one content, or a conflict of an append without a condition.
 */
export function checkLog(
  operations: readonly LogOperation[],
  initial: InitialLog = EMPTY_LOG,
): LogVerdict {
  const facts = collectFacts(operations, initial);
  if ("kind" in facts) return { tag: "anomalous", anomaly: facts };
  const schedule = scheduleTail(operations, facts, initial);
  if ("kind" in schedule) return { tag: "anomalous", anomaly: schedule };
  const anomaly = checkStart(operations, initial);
  if (anomaly !== undefined) return { tag: "anomalous", anomaly };
  const { unreadCount, exact } = schedule;
  return { tag: "linearizable", operations: operations.length, unreadCount, exact };
}
