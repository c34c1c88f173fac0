import { ErrorCode } from "@karst/kafka-protocol";
import { MemoryBucket, memoryObjectStore } from "@karst/objectstore";
import { copyOf, MemoryBudget, SlabPool, utf8Encode } from "@karst/runtime";
import { recordingLogger } from "@karst/runtime/testing";
import { memoryWal } from "@karst/wal";
import assert from "node:assert/strict";
import { test } from "vitest";
import { batchOf, startFixture, withFixture } from "./fixture.ts";

test("a damaged block fails the reads that need it, in words in the broker's log, and nothing else", async () => {
  const bucket = new MemoryBucket();
  const writer = await startFixture({ objectStore: memoryObjectStore({ bucket }) });
  const client = await writer.connect();
  for (const topic of ["whole", "damaged"]) {
    await client.createTopic(topic);
    await client.produce(topic, batchOf(`first of ${topic}`));
    await client.produce(topic, batchOf(`second of ${topic}`));
  }
  await writer.close();
  const key = damage(bucket, "second of damaged");

  const log = recordingLogger();
  const slabs = new SlabPool({ budget: new MemoryBudget(1 << 24), slabBytes: 1 << 16 });
  await withFixture(
    {
      objectStore: memoryObjectStore({ bucket }),
      log,
      wal: (runtime) => memoryWal({ runtime, slabs }),
    },
    async ({ connect }) => {
      const reader = await connect();
      const answer = await reader.fetch("damaged", 0);
      assert.equal(answer.errorCode, ErrorCode.UNKNOWN_SERVER_ERROR);
      const [told] = log.of("fetch-failed");
      assert.equal(told?.level, "error");
      assert.deepEqual([told?.fields["partition"], told?.fields["offset"]], [0, 0]);
      assert.match(String(told?.fields["reason"]), new RegExp(`${key}.*CRC`));
      assert.equal((await reader.fetch("whole", 0)).errorCode, ErrorCode.NONE);
      assert.equal(log.of("fetch-failed").length, 1);
      const { errorCode, baseOffset } = await reader.produce(
        "damaged",
        batchOf("third of damaged"),
      );
      assert.deepEqual([errorCode, baseOffset], [ErrorCode.NONE, 2]);
      assert.equal((await reader.fetch("damaged", 2)).errorCode, ErrorCode.NONE);
    },
  );
});

/** Flips a bit of the object that holds `text`. @returns its key. */
function damage(bucket: MemoryBucket, text: string): string {
  for (const key of bucket.keys("objects/", "", 1_000)) {
    const bytes = copyOf(bucket.get(key)?.bytes ?? new Uint8Array());
    const at = Buffer.from(bytes).indexOf(utf8Encode(text));
    if (at < 0) continue;
    bytes[at] = (bytes[at] as number) ^ 1;
    bucket.set(key, bytes);
    return key;
  }
  return assert.fail(`no object holds ${text}`);
}
