import assert from "node:assert/strict";
import { encodeBatch } from "@karst/records";
import { crc32c, utf8Encode, viewOf } from "@karst/runtime";
import { type TopicRecord } from "karst";
import { onTestFinished, test } from "vitest";
import { EngineHandle } from "../../src/engine-handle.ts";
import { openParts } from "../../src/open-parts.ts";

const AT_CRC = 17;
const AT_LAST_OFFSET_DELTA = 23;
const AT_COUNT = 57;
const AT_RECORDS = 61;

/** What a producer may do to a compressed batch of two records that nobody opens at the append. */
const DAMAGES: readonly (readonly [string, (view: DataView) => void])[] = [
  ["the compression is damaged", (view) => view.setUint32(AT_RECORDS, 0x0bad_0bad)],
  ["fewer records than there are", (view) => setCount(view, 1)],
  ["more records than there are", (view) => setCount(view, 9)],
];

function setCount(view: DataView, count: number): void {
  view.setInt32(AT_COUNT, count);
  view.setInt32(AT_LAST_OFFSET_DELTA, count - 1);
}

function batchOf(values: readonly string[], codec: "gzip" | "none" = "none"): Uint8Array {
  return encodeBatch(
    values.map((value) => ({ timestampMs: 1, key: null, value: utf8Encode(value) })),
    { codec },
  );
}

function damaged(change: (view: DataView) => void): Uint8Array {
  const batch = batchOf(["x", "y"], "gzip");
  const view = viewOf(batch);
  change(view);
  view.setUint32(AT_CRC, crc32c(batch.subarray(AT_CRC + 4)));
  return batch;
}

/** Reads to the end, and where a batch cannot be read, on from where the next one begins. */
async function readOn(
  read: (from: number) => AsyncIterable<TopicRecord>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let from = 0; ;) {
    try {
      for await (const record of read(from)) {
        from = record.offset + 1;
        found.push(`${record.offset}:${record.text()}`);
      }
      return found;
    } catch (error) {
      const { code, message } = error as { readonly code: string; readonly message: string };
      assert.equal(code, "UNREADABLE_BATCH");
      const next = Number(/read on from (\d+)/.exec(message)?.[1]);
      assert.ok(next > from, message);
      found.push("unreadable");
      from = next;
    }
  }
}

test.each(DAMAGES)("where %s no other record is lost", async (_, change) => {
  const parts = await openParts({ root: "memory:" });
  onTestFinished(() => parts.close());
  const created = await parts.topics.create({ name: "t", partitions: 1 });
  const log = await parts.topics.partition(created.topicId, 0);
  for (const batch of [
    batchOf(["a", "b"]),
    batchOf(["c"], "gzip"),
    damaged(change),
    batchOf(["d"], "gzip"),
    damaged(change),
    batchOf(["e", "f"]),
  ])
    await log.append(batch).durable;
  const topic = new EngineHandle(parts).topic("t");
  const found = await readOn((offset) => topic.read({ from: { offset } }));
  assert.deepEqual(
    found.map((one) => one.replace(/^\d+:/, "")),
    ["a", "b", "c", "unreadable", "d", "unreadable", "e", "f"],
  );
});
