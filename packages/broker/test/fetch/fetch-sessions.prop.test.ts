import { ErrorCode } from "@karst/kafka-protocol";
import { MemoryBudget } from "@karst/runtime";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "vitest";
import type { FetchSessions } from "../../src/fetch/fetch-sessions.ts";
import {
  answerOf,
  countedSessions,
  IDLE_MS,
  type LogSight,
  requestOf,
} from "./session-requests.ts";

const PARTITIONS = 5;
const CLIENTS = 3;
/** For five or six partitions in two sessions. */
const BUDGET_BYTES = 3_000;
const LIMITS = { sessionsMax: 2, partitionsMax: 7 };

const partition = fc.nat(PARTITIONS - 1);
const client = fc.nat(CLIENTS - 1);

/** What happens to a log. */
const change = fc.constantFrom("append", "append", "trim", "break", "mend");
const fate = fc.constantFrom("arrives", "arrives", "arrives", "lost", "lost and sent again");

/** `room`: partitions that may have records in one answer. */
const poll = fc.record({
  tag: fc.constant("poll" as const),
  client,
  fate,
  room: fc.nat(2),
  reads: fc.boolean(),
});
type Poll = typeof poll extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  { weight: 10, arbitrary: poll },
  { weight: 6, arbitrary: fc.record({ tag: fc.constant("log" as const), partition, change }) },
  {
    weight: 1,
    arbitrary: fc.record({
      tag: fc.constant("wait" as const),
      ms: fc.constantFrom(1, IDLE_MS, IDLE_MS + 1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ tag: fc.constant("assign" as const), client, partition }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ tag: fc.constant("unassign" as const), client, partition }),
  },
);

function changed({ start, end, errorCode }: LogSight, what: string): LogSight {
  const error = errorCode === undefined ? {} : { errorCode };
  if (what === "append") return { start, end: end + 1, ...error };
  if (what === "trim") return { start: end, end, ...error };
  return what === "break" ? { start, end, errorCode: 56 } : { start, end };
}

/** What a client believes of a partition from the answers that it got. */
type Belief = Pick<ReturnType<typeof answerOf>, "highWatermark" | "logStartOffset" | "errorCode">;

/** A client as Kafka's own: it sends what has changed since its last request, and begins anew after any doubt. */
class Client {
  readonly offsets = new Map<number, number>();
  readonly #beliefs = new Map<number, Belief>();
  /** What the broker has of it, if the last answer came. */
  #sent = new Map<number, number>();
  #session: readonly [id: number, epoch: number] = [0, 0];

  poll(sessions: FetchSessions, logs: readonly LogSight[], nowMs: number, how: Poll): void {
    const [id, epoch] = this.#session;
    const incremental = epoch > 0;
    const changed = [...this.offsets].filter(
      ([one, offset]) => !incremental || this.#sent.get(one) !== offset,
    );
    const forgotten = incremental
      ? [...this.#sent.keys()].filter((one) => !this.offsets.has(one))
      : [];
    const request = requestOf(this.#session, changed, forgotten);
    const began = sessions.begin(request, false, nowMs);
    if (began.tag === "refused") {
      assert.equal(began.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
      assert.ok(incremental);
      this.#session = [0, 0];
      return;
    }
    // What is read is what the client wants, whatever of it the request has said.
    const wanted = began.wanted.map((one) => [one.partition, one.fetchOffset] as const);
    const sorted = (pairs: Iterable<readonly [number, number]>): unknown =>
      [...pairs].sort(([a], [b]) => a - b);
    assert.deepEqual(sorted(wanted), sorted(this.offsets));
    let { room } = how;
    const full = began.wanted.map((one) => {
      const answer = answerOf(one, logs[one.partition] as LogSight);
      if (answer.bytes === 0 || room-- > 0) return answer;
      return { ...answer, bytes: 0 };
    });
    const reply = sessions.reply(began, full, nowMs);
    assert.equal(reply.errorCode, ErrorCode.NONE);
    if (how.fate !== "arrives") {
      if (how.fate === "lost and sent again" && incremental && reply.sessionId !== 0) {
        const again = sessions.begin(request, false, nowMs);
        assert.ok(again.tag === "refused");
        assert.equal(again.errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH);
      }
      this.#session = [id, 0];
      return;
    }
    for (const { wanted: one, ...answer } of reply.answers)
      this.#beliefs.set(one.partition, answer);
    // The answer and what was known before it together say what a full answer would say.
    const told = new Set(reply.answers.map(({ wanted: one }) => one.partition));
    for (const answer of full) {
      const believed = this.#beliefs.get(answer.wanted.partition);
      const { errorCode, highWatermark, logStartOffset } = answer;
      assert.deepEqual(
        [believed?.errorCode, believed?.highWatermark, believed?.logStartOffset],
        [errorCode, highWatermark, logStartOffset],
      );
      if (answer.bytes > 0) assert.ok(told.has(answer.wanted.partition));
      if (answer.bytes > 0 && how.reads) this.offsets.set(answer.wanted.partition, highWatermark);
    }
    if (epoch === 0) assert.equal(reply.answers.length, full.length);
    this.#sent = new Map(wanted);
    this.#session = reply.sessionId === 0 ? [0, 0] : [reply.sessionId, epoch + 1];
  }
}

test("a client with a session knows what one without it knows", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const budget = new MemoryBudget(BUDGET_BYTES);
      const sessions = countedSessions({ ...LIMITS, budget });
      const logs: LogSight[] = Array.from({ length: PARTITIONS }, () => ({ start: 0, end: 0 }));
      const clients = Array.from({ length: CLIENTS }, () => new Client());
      let nowMs = 0;
      for (const one of steps) {
        switch (one.tag) {
          case "log":
            logs[one.partition] = changed(logs[one.partition] as LogSight, one.change);
            break;
          case "wait":
            nowMs += one.ms;
            break;
          case "assign":
            clients[one.client]?.offsets.set(one.partition, 0);
            break;
          case "unassign":
            clients[one.client]?.offsets.delete(one.partition);
            break;
          case "poll":
            clients[one.client]?.poll(sessions, logs, nowMs, one);
            break;
        }
        assert.ok(sessions.count <= LIMITS.sessionsMax);
        assert.ok(sessions.partitions <= LIMITS.partitionsMax);
        assert.equal(sessions.count === 0, budget.reservedBytes === 0);
        assert.ok(budget.reservedBytes >= 300 * sessions.partitions + 500 * sessions.count);
      }
      for (const [at, each] of clients.entries()) {
        each.offsets.clear();
        const how = { tag: "poll", client: at, fate: "arrives", room: 0, reads: false } as const;
        each.poll(sessions, logs, nowMs, how);
      }
      sessions.close();
      assert.equal(budget.reservedBytes, 0);
    }),
    { numRuns: 500 },
  );
});
