import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import type {
  AppendOperation,
  LogOperation,
  ReadOperation,
  SeenBatch,
} from "../../src/checkers/history.ts";

/** Changes something of one operation, which may make the history wrong or not. */
export function mutateLog(
  operations: readonly LogOperation[],
  random: SeededRandom,
): LogOperation[] {
  const mutated = [...operations];
  if (mutated.length === 0) return mutated;
  const integer = (min: number, max: number): number => randomInteger(random, min, max);
  const at = integer(0, mutated.length - 1);
  const operation = mutated[at] as LogOperation;
  const changed = integer(0, 3) === 0 ? moved(operation, integer) : retold(operation, integer);
  if (changed === undefined) mutated.splice(at, 1);
  else mutated[at] = changed;
  return mutated;
}

type Integer = (min: number, max: number) => number;

/** At another time. */
function moved(operation: LogOperation, integer: Integer): LogOperation {
  const by = integer(-12, 12);
  const { invokedAt, returnedAt } = operation;
  // Halves keep times apart.
  return { ...operation, invokedAt: invokedAt + by + 0.5, returnedAt: returnedAt + by + 0.5 };
}

/** With another answer; undefined: left out. */
function retold(operation: LogOperation, integer: Integer): LogOperation | undefined {
  switch (operation.kind) {
    case "append":
      return retoldAppend(operation, integer);
    case "read":
      return retoldRead(operation, integer);
    case "tail":
      return integer(0, 1) === 0
        ? { ...operation, tail: operation.tail + integer(-2, 2) }
        : { ...operation, start: (operation.start ?? 0) + integer(-1, 1) };
    case "trim":
      return integer(0, 2) === 0
        ? { ...operation, outcome: { tag: "failed" } }
        : { ...operation, before: operation.before + integer(-2, 2) };
  }
}

function retoldAppend(operation: AppendOperation, integer: Integer): LogOperation | undefined {
  const { outcome, ifOffset } = operation;
  const choice = integer(0, 5);
  if (choice === 0) return undefined;
  if (choice === 1) return { ...operation, outcome: { tag: "unknown" } };
  if (choice === 2) return { ...operation, outcome: { tag: "failed" } };
  if (outcome.tag === "ok") {
    const by = integer(-2, 2);
    const endOffset = outcome.endOffset + (choice === 3 ? 0 : by);
    return { ...operation, outcome: { tag: "ok", baseOffset: outcome.baseOffset + by, endOffset } };
  }
  if (outcome.tag === "conflict") {
    const by = integer(-1, 1);
    return choice < 5
      ? { ...operation, ifOffset: (ifOffset ?? 0) + by }
      : { ...operation, outcome: { tag: "conflict", tail: (outcome.tail ?? ifOffset ?? 0) + by } };
  }
  return { ...operation, ifOffset: (ifOffset ?? integer(0, 10)) + integer(-1, 1) };
}

function retoldRead(operation: ReadOperation, integer: Integer): LogOperation {
  const { outcome, from } = operation;
  const choice = integer(0, 4);
  if (choice === 0) return { ...operation, from: Math.max(0, from + integer(-1, 1)) };
  if (outcome.tag === "trimmed")
    return { ...operation, outcome: { ...outcome, start: from + integer(0, 3) } };
  if (outcome.tag === "beyond")
    return { ...operation, outcome: { ...outcome, tail: from - integer(0, 3) } };
  if (choice === 1) {
    const tail = (outcome.tail ?? outcome.batches.at(-1)?.endOffset ?? from) + integer(-1, 1);
    return { ...operation, outcome: { ...outcome, tail } };
  }
  const batches = [...outcome.batches];
  const at = integer(0, Math.max(0, batches.length - 1));
  const batch = batches[at];
  if (batch === undefined || choice === 2)
    return { ...operation, outcome: { ...outcome, batches: batches.slice(1) } };
  if (choice === 3) batches.pop();
  else batches[at] = otherBatch(batch, integer);
  return { ...operation, outcome: { ...outcome, batches } };
}

function otherBatch(batch: SeenBatch, integer: Integer): SeenBatch {
  const by = integer(0, 1);
  return integer(0, 1) === 0
    ? { ...batch, content: batch.content + integer(-1, 1) }
    : { ...batch, baseOffset: batch.baseOffset + by, endOffset: batch.endOffset + by };
}
