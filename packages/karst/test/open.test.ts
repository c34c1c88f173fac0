import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { memoryObjectStore } from "@karst/objectstore";
import { hasCode, open } from "karst";
import { test } from "vitest";
import { openParts } from "../src/open-parts.ts";
import { EngineHandle } from "../src/engine-handle.ts";
import { openEngine, temporaryDirectory, texts } from "./world.ts";

test("options that are unknown, wrong or contradict each other are refused with a sentence", async () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /open\(\) takes an object/],
    [{}, /needs a root, such as "file:\.\/karst-data"/],
    [{ rot: "memory:" }, /unknown option rot; did you mean root\?/],
    [
      { root: "memory:", objectStore: memoryObjectStore(), wal: {} },
      /both say where the objects are/,
    ],
    [{ objectStore: memoryObjectStore() }, /needs an injected wal/],
    [{ objectStore: memoryObjectStore(), wal: "memory:" }, /needs an injected wal/],
    [{ root: "memory:", wal: {} }, /wal is a URL/],
    [{ root: "memory:", memory: {} }, /memory goes with an injected/],
    [{ root: "memory:", wal: "file:./wal" }, /ends with the process/],
    [{ root: "file:./data", wal: "memory:" }, /loses acknowledged records/],
    [
      { root: "file:./data", wal: "./wal" },
      /wal "\.\/wal": it has no scheme; did you mean "file:\.\/wal"/,
    ],
    [{ root: "file:./data", wal: "s3://bucket/wal" }, /kept in a directory/],
    [{ root: "s3://bucket/prefix" }, /no disk of its own for the WAL/],
    [
      { root: "memory:", limits: { uploadByte: 1 } },
      /unknown limit uploadByte; did you mean uploadBytes\?/,
    ],
    [{ root: "memory:", limits: { uploadBytes: 0 } }, /whole number above 0/],
    [
      { objectStore: memoryObjectStore(), wal: {}, limits: { segmentBytes: 5 } },
      /segmentBytes is the injected WAL's own/,
    ],
  ];
  for (const [options, message] of refused) {
    await assert.rejects(
      open(options as never),
      (error) => hasCode(error, "INVALID_OPTIONS") && message.test(error.message),
      message.source,
    );
  }
  await assert.rejects(open({ root: "fil:./data" }), (error) => hasCode(error, "INVALID_ROOT"));
  await assert.rejects(
    open({ root: "minio://bucket/prefix?payload=signed", wal: "file:./wal" }),
    (error) => hasCode(error, "INVALID_ROOT") && /unsigned over TLS/.test(error.message),
  );
});

test("limits that contradict each other are refused with a sentence", async () => {
  await assert.rejects(
    open({ root: "memory:", limits: { memoryBudgetBytes: 1 << 20, uploadBytes: 1 << 20 } }),
    (error) => hasCode(error, "INVALID_OPTIONS") && /uploadBytes/.test(error.message),
  );
});

test("limits that contradict each other are refused before anything is made", async () => {
  const root = join(temporaryDirectory(), "data");
  await assert.rejects(open({ root: `file:${root}`, limits: { uploadBytes: 1 << 30 } }), {
    code: "INVALID_OPTIONS",
  });
  assert.ok(!existsSync(root));
});

test("a file root keeps its topics and records over close and open", async () => {
  const directory = temporaryDirectory();
  const root = `file:${join(directory, "data")}`;
  const first = await openEngine({ root });
  const topic = first.topic("orders", { partitions: 2, configs: { "max.message.bytes": "5000" } });
  for (let i = 0; i < 10; i += 1) await topic.append({ value: String(i) }, { partition: i % 2 });
  await first.close();
  assert.deepEqual(readdirSync(join(directory, "data")).includes("objects"), true);

  const second = await openEngine({ root });
  assert.deepEqual(second.listTopics(), ["orders"]);
  const again = second.topic("orders");
  assert.deepEqual(await texts(again.read({ partitions: [0] })), ["0", "2", "4", "6", "8"]);
  assert.equal((await again.append({ value: "10" }, { partition: 0 })).offset, 5);
  assert.deepEqual((await again.describe()).configs, { "max.message.bytes": "5000" });
});

test("what was acknowledged survives an engine that ends without closing", async () => {
  const root = `file:${join(temporaryDirectory(), "data")}`;
  const parts = await openParts({ root });
  const topic = new EngineHandle(parts).topic("orders");
  await Promise.all(Array.from({ length: 50 }, (_, i) => topic.append({ value: String(i) })));
  await parts.engine.abandon();
  const engine = await openEngine({ root });
  assert.deepEqual(
    await texts(engine.topic("orders").read()),
    Array.from({ length: 50 }, (_, i) => String(i)),
  );
});

test("a WAL may be elsewhere, and a root without it is refused while the WAL may hold records", async () => {
  const directory = temporaryDirectory();
  const root = `file:${join(directory, "data")}`;
  const wal = `file:${join(directory, "fast", "wal")}`;
  const parts = await openParts({ root, wal });
  await new EngineHandle(parts).topic("orders").append({ value: "a" });
  await parts.engine.abandon();
  assert.ok(existsSync(join(directory, "fast", "wal")));

  await assert.rejects(
    open({ root }),
    (error) =>
      hasCode(error, "WAL_UNAVAILABLE") && error.message.includes(join(directory, "fast", "wal")),
  );
  const engine = await openEngine({ root, wal });
  assert.deepEqual(await texts(engine.topic("orders").read()), ["a"]);
});

test("a second engine on the same directory is refused", async () => {
  const root = `file:${join(temporaryDirectory(), "data")}`;
  await openEngine({ root });
  await assert.rejects(open({ root }), (error) => hasCode(error, "WAL_IN_USE"));
});

test("a named memory root is the same for the whole process, an unnamed one is new each time", async () => {
  const first = await open({ root: "memory:shared" });
  await first.topic("orders").append({ value: "a" });
  await first.close();
  const second = await openEngine({ root: "memory:shared" });
  assert.deepEqual(await texts(second.topic("orders").read()), ["a"]);
  assert.deepEqual((await openEngine({ root: "memory:" })).listTopics(), []);
});

test("an engine can be disposed of, and reports no failure when it is closed", async () => {
  const engine = await open({ root: "memory:" });
  let failed = false;
  engine.failed.then(
    () => (failed = true),
    () => (failed = true),
  );
  await engine[Symbol.asyncDispose]();
  assert.equal(failed, false);
});
