import assert from "node:assert/strict";
import { randomInteger } from "@karst/runtime";
import { SeededRandom } from "@karst/runtime/testing";
import { test } from "vitest";
import type { LogOperation } from "../../src/checkers/history.ts";
import { LOG_ANOMALIES, type LogAnomalyKind } from "../../src/checkers/log-anomaly.ts";
import { checkLog } from "../../src/checkers/log-linearizability.ts";
import { searchLog } from "../../src/checkers/wing-gong.ts";
import { LOG_INJECTIONS } from "./log-injections.ts";
import { SimulatedLog } from "./simulated-log.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 60);

function simulated(seed: number, label: string): SimulatedLog {
  return new SimulatedLog({
    seed: `${label} ${seed}`,
    processes: 1 + (seed % 7),
    operations: 20 + ((seed * 7) % 200),
    trims: seed % 2 === 0,
    conditions: seed % 3 !== 0,
    countMax: 1 + (seed % 3),
    finalRead: seed % 5 !== 0,
  }).run();
}

test("what clients of a right log saw is linearizable", () => {
  for (let seed = 0; seed < 2 * RUNS; seed += 1) {
    const verdict = checkLog(simulated(seed, "right").operations);
    assert.equal(verdict.tag, "linearizable", `seed ${seed}: ${JSON.stringify(verdict)}`);
  }
});

for (const kind of Object.keys(LOG_INJECTIONS) as LogAnomalyKind[]) {
  test(`${kind}: ${LOG_ANOMALIES[kind]}`, () => {
    let injected = 0;
    for (let seed = 0; injected < RUNS; seed += 1) {
      const random = new SeededRandom(`inject ${kind} ${seed}`);
      const log = simulated(seed, kind);
      const operations = LOG_INJECTIONS[kind](log, (below) => randomInteger(random, 0, below - 1));
      if (operations === undefined) continue;
      injected += 1;
      const verdict = checkLog(operations);
      assert.ok(verdict.tag === "anomalous", `seed ${seed}`);
      assert.equal(verdict.anomaly.kind, kind, `seed ${seed}: ${JSON.stringify(verdict)}`);
      assert.ok(verdict.anomaly.operations.length > 0);
      assert.ok(verdict.anomaly.operations.every((one) => operations.includes(one)));
    }
  });
}

test("an acknowledged append that a crash took away is stale to whoever looks, and overlapped by whoever appends", () => {
  const lost = append(1, [1, 2], 0);
  const looks = { kind: "tail", process: 2, invokedAt: 3, returnedAt: 4, tail: 0 } as const;
  const looked = checkLog([lost, looks]);
  assert.ok(looked.tag === "anomalous");
  assert.deepEqual(looked.anomaly.kind, "stale");
  assert.deepEqual(looked.anomaly.operations, [lost, looks]);
  const appended = checkLog([lost, append(2, [3, 4], 0)]);
  assert.ok(appended.tag === "anomalous");
  assert.deepEqual(appended.anomaly.kind, "overlap");
});

test("an append of unknown outcome may be there, later or never", () => {
  const unknown: LogOperation = { ...append(1, [1, 2], 0), outcome: { tag: "unknown" } };
  const tail = (at: number, offset: number): LogOperation => ({
    kind: "tail",
    process: 2,
    invokedAt: at,
    returnedAt: at + 1,
    tail: offset,
  });
  const verdictOf = (...operations: LogOperation[]) => checkLog([unknown, ...operations]);
  const exact = { tag: "linearizable", exact: true } as const;
  assert.deepEqual(verdictOf(tail(3, 0)), { ...exact, operations: 2, unreadCount: 0 });
  assert.deepEqual(verdictOf(tail(3, 0), tail(5, 1)), { ...exact, operations: 3, unreadCount: 1 });
  assert.equal(verdictOf(tail(3, 1), tail(5, 0)).tag, "anomalous");
});

test("a history of a log that was there before it", () => {
  const initial = { start: 5, tail: 10 };
  const old = { baseOffset: 8, endOffset: 10, content: -1 };
  const read = (batches: (typeof old)[], at: number): LogOperation => ({
    kind: "read",
    process: 1,
    invokedAt: at,
    returnedAt: at + 1,
    from: 9,
    outcome: { tag: "ok", batches, tail: 11, start: 5 },
  });
  const operations = [append(1, [1, 2], 10), read([old], 3)];
  assert.equal(checkLog(operations, initial).tag, "linearizable");
  const other = checkLog([...operations, read([{ ...old, content: -2 }], 5)], initial);
  assert.ok(other.tag === "anomalous");
  assert.equal(other.anomaly.kind, "inconsistent");
  assert.equal(checkLog(operations).tag, "anomalous");
});

test("two refused conditions that only one of can be right", () => {
  const appends = [append(1, [1, 2], 0), append(2, [3, 20], 1), append(3, [18, 22], 2)];
  const refused = (content: number, ifOffset: number, [invokedAt, returnedAt]: [number, number]) =>
    ({
      ...append(content, [invokedAt, returnedAt], 0),
      ifOffset,
      outcome: { tag: "conflict" },
    }) as const;
  // The first wants offset 1 taken by 6, the second not before 10.
  const first = refused(4, 1, [4, 6]);
  const second = refused(5, 2, [10, 12]);
  for (const one of [first, second]) assert.equal(checkLog([...appends, one]).tag, "linearizable");
  const both = checkLog([...appends, first, second]);
  assert.ok(both.tag === "anomalous");
  assert.equal(both.anomaly.kind, "condition");
  assert.equal(searchLog([...appends, first, second]), false);
});

test("a start that was seen has been asked for, not only one above it", () => {
  const appends = [append(1, [1, 2], 0), append(2, [3, 4], 1), append(3, [5, 6], 2)];
  const trim = (before: number, [invokedAt, returnedAt]: [number, number]) =>
    ({ kind: "trim", process: 1, invokedAt, returnedAt, before, outcome: { tag: "ok" } }) as const;
  const seen = { kind: "tail", process: 2, invokedAt: 8, returnedAt: 12, tail: 3 } as const;
  const operations = [...appends, trim(2, [9, 20]), trim(1, [13, 15]), { ...seen, start: 1 }];
  const verdict = checkLog(operations);
  assert.ok(verdict.tag === "anomalous");
  assert.equal(verdict.anomaly.kind, "trim-future");
  assert.equal(searchLog(operations), false);
  assert.equal(checkLog([...operations.slice(0, -1), { ...seen, start: 2 }]).tag, "linearizable");
});

test("what has been trimmed was there", () => {
  const trim = {
    kind: "trim",
    process: 1,
    invokedAt: 3,
    returnedAt: Infinity,
    before: 9,
    outcome: { tag: "unknown" },
  } as const;
  const read = { kind: "read", process: 2, invokedAt: 5, returnedAt: 6, from: 4 } as const;
  const operations = [
    append(1, [1, 2], 0),
    trim,
    { ...read, outcome: { tag: "trimmed" } } as const,
  ];
  const verdict = checkLog(operations);
  assert.ok(verdict.tag === "anomalous");
  assert.equal(verdict.anomaly.kind, "unexplained");
  assert.equal(searchLog(operations), false);
});

test("a history that cannot be one is misuse", () => {
  const once = append(1, [1, 2], 0);
  assert.throws(() => checkLog([once, once]), TypeError);
  assert.throws(() => checkLog([{ ...once, outcome: { tag: "conflict" } }]), TypeError);
});

test("a long history is checked at once", () => {
  const { operations } = new SimulatedLog({
    seed: "scale",
    processes: 16,
    operations: 50_000,
    trims: true,
    conditions: true,
    unknownPercent: 2,
  }).run();
  const verdict = checkLog(operations);
  assert.equal(verdict.tag, "linearizable", JSON.stringify(verdict));
});

function append(content: number, [invokedAt, returnedAt]: [number, number], baseOffset: number) {
  const outcome = { tag: "ok", baseOffset, endOffset: baseOffset + 1 } as const;
  const times = { process: 1, invokedAt, returnedAt };
  return { kind: "append", ...times, content, count: 1, outcome } as const;
}
