import assert from "node:assert/strict";
import { test } from "vitest";
import { checkLog } from "../../src/checkers/log-linearizability.ts";
import { LogRecorder } from "../../src/checkers/log-recorder.ts";

test("what two clients did is recorded in one order of time", () => {
  const recorder = new LogRecorder();
  const first = recorder.append({ process: "a", content: 1, count: 2 });
  const second = recorder.append({ process: "b", content: 2, count: 1, ifOffset: 2 });
  const read = recorder.read({ process: "c", from: 0 });
  first.ok({ baseOffset: 0, endOffset: 2 });
  second.ok({ baseOffset: 2, endOffset: 3 });
  read.finish({ tag: "ok", batches: [{ baseOffset: 0, endOffset: 2, content: 1 }], tail: 2 });
  recorder.append({ process: "a", content: 3, count: 1, ifOffset: 2 }).conflict(3);
  recorder.append({ process: "a", content: 4, count: 1 }).failed();
  recorder.trim({ process: "b", before: 1 }).ok();
  recorder.tail({ process: "c" }).finish({ tail: 3, start: 1 });
  recorder.read({ process: "c", from: 0 }).finish({ tag: "trimmed", start: 1 });
  recorder.read({ process: "c", from: 4 }).finish({ tag: "beyond" });
  const operations = recorder.operations();
  assert.equal(operations.length, 9);
  assert.ok(operations.every(({ invokedAt, returnedAt }) => invokedAt < returnedAt));
  assert.deepEqual(checkLog(operations), {
    tag: "linearizable",
    operations: 9,
    unreadCount: 0,
    exact: true,
  });
  recorder.tail({ process: "c" }).finish({ tail: 2 });
  const verdict = checkLog(recorder.operations());
  assert.ok(verdict.tag === "anomalous");
  assert.equal(verdict.anomaly.kind, "stale");
});

test("what was not finished may have happened, a read that was not says nothing", () => {
  const recorder = new LogRecorder();
  recorder.append({ process: "a", content: 1, count: 1 });
  recorder.append({ process: "a", content: 2, count: 1 }).unknown();
  recorder.trim({ process: "a", before: 1 });
  recorder.trim({ process: "a", before: 2 }).unknown();
  recorder.trim({ process: "a", before: 2 }).failed();
  recorder.read({ process: "a", from: 0 });
  recorder.tail({ process: "a" });
  const operations = recorder.operations();
  const outcomes = operations.map((one) => "outcome" in one && [one.kind, one.outcome.tag]);
  assert.deepEqual(outcomes.map(String).toSorted(), [
    "append,unknown",
    "append,unknown",
    "trim,failed",
    "trim,unknown",
    "trim,unknown",
  ]);
  recorder.tail({ process: "b" }).finish({ tail: 2, start: 2 });
  assert.equal(checkLog(recorder.operations()).tag, "linearizable");
});

test("a call is finished once", () => {
  const recorder = new LogRecorder();
  const call = recorder.append({ process: "a", content: 1, count: 1 });
  call.ok({ baseOffset: 0, endOffset: 1 });
  assert.throws(() => call.failed(), TypeError);
});
