import assert from "node:assert/strict";
import { assertBytes, assertRejects, type Case, listedKeys, patternOf } from "./case.ts";

/** What S3 demands of all parts but the last. */
const PART_BYTES = 5 * 1024 * 1024;

export const multipart: readonly Case[] = [
  {
    name: "an upload in parts becomes one object when it completes, or is unsupported",
    run: async (store) => {
      if (!store.capabilities.multipart) {
        await assertRejects(store.createMultipart("a"), "UNSUPPORTED", "invalid");
        return;
      }
      const whole = patternOf(2 * PART_BYTES + 1234);
      const upload = await store.createMultipart("m/a");
      const last = whole.slice(2 * PART_BYTES);
      await upload.part(9, last);
      last.fill(0);
      await Promise.all([
        upload.part(2, [whole.subarray(0, 100), whole.subarray(100, PART_BYTES)]),
        upload.part(7, whole.subarray(PART_BYTES, 2 * PART_BYTES)),
      ]);
      assert.equal(await store.head("m/a"), undefined);
      assert.deepEqual(await listedKeys(store, ""), []);
      await upload.complete();
      assertBytes(await store.get("m/a"), whole);
      assert.deepEqual(await listedKeys(store, ""), ["m/a"]);
      await assertRejects(upload.part(3, patternOf(1)), "UPLOAD_ENDED", "closed");
      await assertRejects(upload.complete(), "UPLOAD_ENDED", "closed");
      await upload.abort();
      assertBytes(
        await store.get("m/a", { range: { start: PART_BYTES - 1, end: PART_BYTES + 1 } }),
        whole.subarray(PART_BYTES - 1, PART_BYTES + 1),
      );
    },
  },
  {
    name: "a completed upload replaces an object, an aborted one leaves it",
    run: async (store) => {
      if (!store.capabilities.multipart) return;
      await store.put("a", patternOf(100));
      const aborted = await store.createMultipart("a");
      await aborted.part(1, patternOf(50));
      await aborted.abort();
      await aborted.abort();
      await assertRejects(aborted.part(2, patternOf(1)), "UPLOAD_ENDED", "closed");
      await assertRejects(aborted.complete(), "UPLOAD_ENDED", "closed");
      assertBytes(await store.get("a"), patternOf(100));
      const completed = await store.createMultipart("a");
      await completed.part(1, patternOf(50));
      assertBytes(await store.get("a"), patternOf(100));
      await completed.complete();
      assertBytes(await store.get("a"), patternOf(50));
    },
  },
  {
    name: "two uploads of one key do not mix",
    run: async (store) => {
      if (!store.capabilities.multipart) return;
      const [first, second] = [await store.createMultipart("a"), await store.createMultipart("a")];
      await Promise.all([first.part(1, patternOf(10, 1)), second.part(1, patternOf(20, 2))]);
      await second.complete();
      assertBytes(await store.get("a"), patternOf(20, 2));
      await first.complete();
      assertBytes(await store.get("a"), patternOf(10, 1));
    },
  },
  {
    name: "an upload's misuse is the programmer's mistake",
    run: async (store) => {
      if (!store.capabilities.multipart) return;
      const upload = await store.createMultipart("a");
      await assert.rejects(upload.complete(), TypeError);
      for (const number of [0, -1, 1.5, 10_001, Number.NaN])
        await assert.rejects(upload.part(number, patternOf(1)), TypeError);
      await upload.part(1, patternOf(1));
      await assert.rejects(upload.part(1, patternOf(1)), TypeError);
      await upload.abort();
      await assertRejects(store.createMultipart("../a"), "INVALID_KEY", "invalid");
    },
  },
];
