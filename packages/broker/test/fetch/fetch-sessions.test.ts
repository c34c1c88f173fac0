import { ErrorCode } from "@karst/kafka-protocol";
import { MemoryBudget } from "@karst/runtime";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { FetchReply, FetchSessions, SessionRequest } from "../../src/fetch/fetch-sessions.ts";
import { epochAfter, type PartitionAnswer } from "../../src/fetch/fetch-session.ts";
import {
  answerOf,
  countedSessions,
  IDLE_MS,
  type LogSight,
  requestOf,
} from "./session-requests.ts";

const EMPTY: LogSight = { start: 0, end: 0 };

/** Takes a request and answers it at once, from logs that are all alike unless `logs` has them. */
function ask(
  sessions: FetchSessions,
  request: SessionRequest,
  logs: Readonly<Record<number, LogSight>> = {},
  options: { readonly byId?: boolean; readonly nowMs?: number } = {},
): FetchReply<PartitionAnswer> {
  const { byId = false, nowMs = 0 } = options;
  const step = sessions.begin(request, byId, nowMs);
  if (step.tag === "refused") return { errorCode: step.errorCode, sessionId: 0, answers: [] };
  const answers = step.wanted.map((one) => answerOf(one, logs[one.partition] ?? EMPTY));
  return sessions.reply(step, answers, nowMs);
}

function partitionsOf({ answers }: FetchReply<PartitionAnswer>): number[] {
  return answers.map(({ wanted }) => wanted.partition);
}

/** A new session over so many partitions. */
function opened(sessions: FetchSessions, count = 3, nowMs = 0): number {
  const offsets = Array.from({ length: count }, (_, partition) => [partition, 0] as const);
  return ask(sessions, requestOf([0, 0], offsets), {}, { nowMs }).sessionId;
}

test("a full answer begins a session, and later ones have what is new alone", () => {
  const sessions = countedSessions();
  const first = ask(
    sessions,
    requestOf(
      [0, 0],
      [
        [0, 0],
        [1, 0],
      ],
    ),
  );
  assert.deepEqual([first.errorCode, first.sessionId, partitionsOf(first)], [0, 1, [0, 1]]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 1], []))), []);
  // Records come as long as they are not read.
  const records = { 1: { start: 0, end: 5 } };
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 2], []), records)), [1]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 3], []), records)), [1]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 4], [[1, 5]]), records)), []);
  const trimmed = { 1: { start: 2, end: 5 } };
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 5], []), trimmed)), [1]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([1, 6], []), trimmed)), []);
});

test("an error is told each time, and what was there before it once more after it", () => {
  const sessions = countedSessions();
  const id = opened(sessions);
  const broken = { 2: { ...EMPTY, errorCode: ErrorCode.KAFKA_STORAGE_ERROR } };
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 1], []), broken)), [2]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 2], []), broken)), [2]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 3], []))), [2]);
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 4], []))), []);
});

test("partitions come and go: a new one is answered, a forgotten one never more", () => {
  const sessions = countedSessions();
  const id = opened(sessions, 2);
  const moved = { 0: { start: 0, end: 1 }, 1: { start: 0, end: 1 } };
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 1], [[7, 0]], [0]), moved)), [1, 7]);
  assert.equal(sessions.partitions, 2);
  // Without partitions there is no session.
  const last = ask(sessions, requestOf([id, 2], [], [1, 7]), moved);
  assert.deepEqual([last.errorCode, last.sessionId, last.answers], [0, 0, []]);
  const { errorCode } = ask(sessions, requestOf([id, 3], []));
  assert.equal(errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  assert.deepEqual([sessions.count, sessions.partitions], [0, 0]);
});

test("a partition that brought records is read after the others", () => {
  const sessions = countedSessions();
  const id = opened(sessions);
  const records = { 0: { start: 0, end: 1 } };
  assert.deepEqual(partitionsOf(ask(sessions, requestOf([id, 1], []), records)), [0]);
  const step = sessions.begin(requestOf([id, 2], []), false, 0);
  assert.ok(step.tag === "incremental");
  assert.deepEqual(
    step.wanted.map(({ partition }) => partition),
    [1, 2, 0],
  );
});

test("a request takes effect with the expected epoch only: not twice, and not too early", () => {
  const sessions = countedSessions();
  const id = opened(sessions);
  const wrong = { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: 0, answers: [] };
  assert.deepEqual(ask(sessions, requestOf([id, 2], [], [0, 1, 2])), wrong);
  assert.equal(ask(sessions, requestOf([id, 1], [])).errorCode, 0);
  // As if its answer had been lost.
  assert.deepEqual(ask(sessions, requestOf([id, 1], [])), wrong);
  assert.equal(ask(sessions, requestOf([id, 2], [])).errorCode, 0);
  // The client begins anew, in place of its old session.
  const anew = ask(sessions, requestOf([id, 0], [[0, 0]]));
  assert.deepEqual([anew.sessionId, sessions.count, partitionsOf(anew)], [2, 1, [0]]);
  const { errorCode } = ask(sessions, requestOf([id, 3], []));
  assert.equal(errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
});

test("a request that waits is refused when the next one overtakes it, and has told nothing", () => {
  const sessions = countedSessions();
  const id = opened(sessions, 1);
  const waiting = sessions.begin(requestOf([id, 1], []), false, 0);
  const next = sessions.begin(requestOf([id, 2], []), false, 0);
  assert.ok(waiting.tag === "incremental" && next.tag === "incremental");
  const answers = waiting.wanted.map((one) => answerOf(one, { start: 0, end: 9 }));
  assert.deepEqual(sessions.reply(waiting, answers, 0), {
    errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
    sessionId: id,
    answers: [],
  });
  assert.equal(sessions.reply(next, answers, 0).answers.length, 1);
});

test("epochs wrap round to 1", () => {
  assert.deepEqual([1, 2 ** 31 - 2, 2 ** 31 - 1].map(epochAfter), [2, 2 ** 31 - 1, 1]);
});

test("a session belongs to versions with names, or to ones with topic ids", () => {
  const sessions = countedSessions();
  const id = opened(sessions);
  const { errorCode } = ask(sessions, requestOf([id, 1], []), {}, { byId: true });
  assert.equal(errorCode, ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
  // It was not touched.
  assert.equal(ask(sessions, requestOf([id, 1], [])).errorCode, 0);
});

test("a client that wants no session ends the one that it names", () => {
  const sessions = countedSessions();
  const id = opened(sessions);
  const last = ask(sessions, requestOf([id, -1], [[0, 0]]));
  assert.deepEqual([last.sessionId, partitionsOf(last), sessions.count], [0, [0], 0]);
  assert.equal(ask(sessions, requestOf([0, -1], [])).sessionId, 0);
});

test("a full house takes a new session for one that was idle for long, and for no other", () => {
  const sessions = countedSessions({ sessionsMax: 2 });
  const [a, b] = [opened(sessions, 1, 0), opened(sessions, 1, 10)];
  assert.equal(opened(sessions, 5, IDLE_MS), 0);
  // Used, and so not the one that has to go.
  ask(sessions, requestOf([a, 1], []), {}, { nowMs: 20 });
  const c = opened(sessions, 1, IDLE_MS + 11);
  assert.ok(c > 0);
  const codeOf = (id: number, epoch: number): number =>
    ask(sessions, requestOf([id, epoch], []), {}, { nowMs: IDLE_MS + 12 }).errorCode;
  assert.equal(codeOf(b, 1), ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  assert.equal(codeOf(a, 2), 0);
  assert.equal(codeOf(c, 1), 0);
});

test("a session that has been in use for long gives way to a larger one", () => {
  const sessions = countedSessions({ sessionsMax: 2 });
  const [small, large] = [opened(sessions, 1, 0), opened(sessions, 3, 0)];
  const nowMs = IDLE_MS + 1;
  ask(sessions, requestOf([small, 1], []), {}, { nowMs });
  ask(sessions, requestOf([large, 1], []), {}, { nowMs });
  assert.equal(opened(sessions, 1, nowMs), 0);
  const newcomer = opened(sessions, 2, nowMs);
  assert.ok(newcomer > 0);
  const { errorCode } = ask(sessions, requestOf([small, 2], []), {}, { nowMs });
  assert.equal(errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  // The newcomer is too young to be driven out, the large one is not smaller.
  assert.equal(opened(sessions, 3, nowMs), 0);
  assert.ok(opened(sessions, 4, nowMs) > 0);
  assert.deepEqual([sessions.count, sessions.partitions], [2, 6]);
});

test("what finds no room in memory has no session, and a session that grows beyond it ends", () => {
  for (const one of ["the engine's", "their own"]) {
    const budget = new MemoryBudget(one === "their own" ? 1_000_000 : 3_000);
    const sessions = countedSessions({ budget, ...(one === "their own" && { bytesMax: 3_000 }) });
    assert.equal(opened(sessions, 8), 0);
    assert.equal(budget.reservedBytes, 0);
    const [a, b] = [opened(sessions, 2), opened(sessions, 2)];
    assert.ok(a > 0 && b > 0);
    const ofTwo = budget.reservedBytes;
    assert.equal(opened(sessions, 1), 0);
    const grown = ask(
      sessions,
      requestOf(
        [a, 1],
        [4, 5, 6, 7].map((n) => [n, 0] as const),
      ),
    );
    assert.equal(grown.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    assert.equal(budget.reservedBytes, ofTwo / 2);
    const shrunk = ask(sessions, requestOf([b, 1], [], [0]));
    assert.equal(shrunk.errorCode, 0);
    assert.ok(budget.reservedBytes < ofTwo / 2);
    sessions.close();
    assert.equal(budget.reservedBytes, 0);
    assert.equal(opened(sessions, 1), 0);
  }
});

test("the partitions of all sessions together are bounded, also where one grows", () => {
  const sessions = countedSessions({ partitionsMax: 4 });
  assert.equal(opened(sessions, 5), 0);
  const [a, b] = [opened(sessions, 2), opened(sessions, 2)];
  assert.equal(opened(sessions, 1), 0);
  const grown = ask(sessions, requestOf([a, 1], [[9, 0]]));
  assert.equal(grown.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  assert.deepEqual([sessions.count, sessions.partitions], [1, 2]);
  assert.equal(ask(sessions, requestOf([b, 1], [])).errorCode, 0);
});
