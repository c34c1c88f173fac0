import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type Engine, hasCode, type RecordInput } from "karst";
import { onTestFinished, test } from "vitest";
import { EngineHandle } from "../../src/engine-handle.ts";
import { SHARED_BATCH_BYTES_MAX } from "../../src/limits.ts";
import { openParts } from "../../src/open-parts.ts";
import { collect } from "../world.ts";

const RUNS = Number(process.env["KARST_RUNS"] ?? 40);

const BATCH_BYTES_MAX = 200_000;
/** More than what a batch of three records takes beside its values. */
const OVERHEAD_BYTES = 300;
const DAY_MS = 86_400_000;

interface Call {
  /** Bytes of each record's value. */
  readonly sizes: readonly number[];
  readonly fate: "fine" | "too-late" | "aborted-before" | "aborted-after" | "conditional";
}

const size = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 2_000, max: 60_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 250_000 }) },
);

const others = ["too-late", "aborted-before", "aborted-after", "conditional"] as const;

const call: fc.Arbitrary<Call> = fc.record({
  sizes: fc.array(size, { minLength: 1, maxLength: 3 }),
  fate: fc.oneof(
    { weight: 12, arbitrary: fc.constant("fine" as const) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  ),
});

/** What the code of a rejection may be; an aborted append rejects with the signal's reason. */
const CODES = {
  fine: ["BATCH_TOO_LARGE"],
  "too-late": ["INVALID_TIMESTAMP", "BATCH_TOO_LARGE"],
  conditional: ["OFFSET_CONDITION_FAILED", "BATCH_TOO_LARGE"],
} as const;

test("appends of one turn keep their order, offsets and bytes, whatever shares their batches", async () => {
  const parts = await openParts({ root: "memory:" });
  const engine: Engine = new EngineHandle(parts);
  onTestFinished(() => engine.close());
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      runs += 1;
      const name = `t${runs}`;
      const topic = engine.topic(name, {
        configs: {
          "max.message.bytes": String(BATCH_BYTES_MAX),
          "message.timestamp.after.max.ms": String(DAY_MS),
        },
      });
      // Afterwards the partition is open, and appends need not wait.
      await topic.append({ value: "first" });
      const settled = await Promise.allSettled(
        calls.map(({ sizes, fate }, i) => {
          const aborter = new AbortController();
          const reason = new Error("aborted");
          if (fate === "aborted-before") aborter.abort(reason);
          const values = sizes.map((bytes) => new Uint8Array(bytes).fill(i));
          const records = values.map((value): RecordInput => ({
            value,
            headers: { call: new Uint8Array([i]) },
            ...(fate === "too-late" ? { timestampMs: Date.now() + 2 * DAY_MS } : {}),
          }));
          const ifOffset = fate === "conditional" ? 1_000_000 : undefined;
          const appended = topic.append(records, { signal: aborter.signal, ifOffset });
          // The caller's memory is the caller's again.
          for (const value of values) value.fill(255);
          if (fate === "aborted-after") aborter.abort(reason);
          return appended;
        }),
      );

      const records = (await collect(topic.read())).slice(1);
      let read = 0;
      for (const [i, result] of settled.entries()) {
        const { sizes, fate } = calls[i] as Call;
        const found = records.filter(({ headers }) => headers[0]?.value?.[0] === i);
        if (result.status === "fulfilled") {
          assert.equal(fate, "fine");
          assert.deepEqual(
            [result.value.offset, result.value.endOffset],
            [1 + read, 1 + read + sizes.length],
          );
        } else if (fate === "aborted-before" || fate === "aborted-after") {
          // What was handed to the log by then stays, or was refused.
          const refused = fate === "aborted-after" && hasCode(result.reason, "BATCH_TOO_LARGE");
          if (!refused) assert.equal((result.reason as Error).message, "aborted");
          if (fate === "aborted-before" || found.length === 0) continue;
        } else {
          assert.ok(hasCode(result.reason, ...CODES[fate]), String(result.reason));
          const bytes = sizes.reduce((sum, one) => sum + one, 0);
          if (fate === "fine") assert.ok(bytes > BATCH_BYTES_MAX - OVERHEAD_BYTES);
          continue;
        }
        assert.deepEqual(found, records.slice(read, read + sizes.length));
        assert.deepEqual(
          found.map(({ value }) => value),
          sizes.map((bytes) => new Uint8Array(bytes).fill(i)),
        );
        read += sizes.length;
      }
      assert.equal(read, records.length);

      const log = await parts.topics.partition(parts.topics.byName(name)?.topicId ?? "", 0);
      const all = await log.read({
        from: 1,
        bytesMax: 1 << 24,
        isolation: "read_uncommitted",
      });
      for (const { baseOffset, endOffset, payload } of all.batches) {
        const owners = new Set(
          records.slice(baseOffset - 1, endOffset - 1).map(({ headers }) => headers[0]?.value?.[0]),
        );
        assert.ok(owners.size === 1 || payload.length <= SHARED_BATCH_BYTES_MAX);
      }
      all.release();
      await engine.deleteTopic(name);
    }),
    { numRuns: RUNS },
  );
});
