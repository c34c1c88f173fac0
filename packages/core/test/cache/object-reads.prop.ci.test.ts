// Blocks asked for and read ahead in any order, and whatever a store may answer. In the second ring, as the model of the cache is.
import assert from "node:assert/strict";
import { type Fault, faultyObjectStore, memoryObjectStore } from "@karst/objectstore";
import { concatBytes, isKarstError, MemoryBudget } from "@karst/runtime";
import { SeededRandom, simulatedRuntime } from "@karst/runtime/testing";
import fc from "fast-check";
import { test } from "vitest";
import { ObjectReads } from "../../src/cache/object-reads.ts";
import { engineMetrics } from "../../src/engine-metrics.ts";
import { encodeObject } from "../../src/format/object-writer.ts";

const numRuns = Number(process.env["KARST_RUNS"] ?? 500);

const BLOCKS = 4;
const KEY = "objects/one";
const PAYLOAD = new Uint8Array(40).fill(7);
const OBJECT = encodeObject(
  [
    {
      streamId: 1,
      startOffset: 0,
      endOffset: BLOCKS,
      batches: Array.from({ length: BLOCKS }, (_, i) => ({
        baseOffset: i,
        endOffset: i + 1,
        maxTimestampMs: i,
        payload: PAYLOAD,
      })),
      state: undefined,
    },
  ],
  { blockBytes: 1 },
);
const DATA = OBJECT.entries.filter((entry) => entry.kind === "data");
const STORED = { key: KEY, bytes: OBJECT.bytes, indexPosition: OBJECT.indexPosition };

const answer = fc.constantFrom<Fault["tag"] | "well">(
  "well",
  "well",
  "unavailable",
  "lost-answer",
  "not-found",
  "flipped-bit",
  "truncated",
  "overlong",
);
const step = fc.record({
  tag: fc.constantFrom("ask" as const, "ahead" as const, "turn" as const),
  block: fc.nat(BLOCKS - 1),
});

/** What two answers, the second one asked for only where the first was wrong, come to. */
function outcomeOf(
  first: Fault["tag"] | "well",
  second: Fault["tag"] | "well" | undefined,
): string {
  const kindOf = (one: Fault["tag"] | "well"): string => {
    if (one === "well") return "ok";
    if (one === "not-found") return "not_found";
    return one === "unavailable" || one === "lost-answer" ? "unavailable" : "corrupt";
  };
  return kindOf(first) === "corrupt" ? kindOf(second ?? "well") : kindOf(first);
}

test("a block is asked for once for all who wait, is right or refused, and only what is there takes memory", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.infiniteStream(answer),
      fc.nat(),
      async (steps, answers, seed) => {
        /** Of the GETs since the last turn, in order. */
        let given: (Fault["tag"] | "well")[] = [];
        const store = faultyObjectStore(memoryObjectStore(), {
          random: new SeededRandom(seed),
          plan: ({ method }) => {
            if (method !== "get") return undefined;
            const tag = answers.next().value ?? "well";
            given.push(tag);
            return tag === "well" ? undefined : { tag };
          },
        });
        await store.put(KEY, concatBytes(OBJECT.parts));
        const memory = new MemoryBudget(100_000);
        const reads = new ObjectReads({
          store,
          memory,
          metrics: engineMetrics(simulatedRuntime({ seed }).metrics),
          blockCacheBytes: 10_000,
          indexCacheBytes: 10_000,
          signal: new AbortController().signal,
        });
        const there = new Set<number>();
        const entryOf = (block: number): (typeof DATA)[number] =>
          DATA[block] as (typeof DATA)[number];
        // One block at a time is on its way, so that whose answers they were is known.
        for (let at = 0; at < steps.length;) {
          const { block } = steps[at] as (typeof steps)[number];
          const asked: Promise<string>[] = [];
          given = [];
          let begun = false;
          for (; steps[at]?.block === block; at += 1) {
            const { tag } = steps[at] as (typeof steps)[number];
            begun ||= tag !== "turn";
            if (tag === "ahead") assert.ok(reads.prefetch(STORED, entryOf(block)));
            if (tag !== "ask") continue;
            const asking = reads.block(STORED, entryOf(block)).then(
              (lease) => {
                assert.deepEqual(lease.value.batch(0).payload, PAYLOAD);
                assert.equal(lease.value.batch(0).baseOffset, block);
                lease.release();
                return "ok";
              },
              (error: unknown) => (isKarstError(error) ? error.kind : String(error)),
            );
            asked.push(asking);
          }
          const outcomes = await Promise.all(asked);
          await new Promise((resolve) => setImmediate(resolve));
          if (!begun) continue;
          const [first, second] = given;
          const expected = first === undefined ? "ok" : outcomeOf(first, second);
          assert.equal(
            first === undefined,
            there.has(block),
            "asked for what is there, or not at all",
          );
          assert.ok(given.length <= 2, `${given.length} requests`);
          for (const outcome of outcomes) assert.equal(outcome, expected);
          if (expected === "ok") there.add(block);
          const bytes = [...there].reduce((sum, one) => sum + entryOf(one).bytes, 0);
          assert.equal(memory.reservedBytes, bytes);
        }
        reads.clear();
        assert.equal(memory.reservedBytes, 0);
      },
    ),
    { numRuns },
  );
});
