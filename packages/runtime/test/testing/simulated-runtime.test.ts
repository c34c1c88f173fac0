import { hasCode, randomId } from "@karst/runtime";
import { countingMetrics, recordingLogger, simulatedRuntime } from "@karst/runtime/testing";
import assert from "node:assert/strict";
import { test } from "vitest";

test("metrics are counted by name, and a counter that shrinks is a defect", () => {
  const metrics = countingMetrics();
  const bytes = metrics.counter("karst_synced_bytes");
  bytes.add(5);
  metrics.counter("karst_synced_bytes").add(2);
  metrics.gauge("karst_held_bytes").set(9);
  metrics.gauge("karst_held_bytes").set(3);
  assert.equal(metrics.value("karst_synced_bytes"), 7);
  assert.equal(metrics.value("never_used"), 0);
  assert.deepEqual(metrics.values(), { karst_held_bytes: 3, karst_synced_bytes: 7 });
  assert.throws(
    () => bytes.add(-1),
    (error) => hasCode(error, "ASSERTION_FAILED"),
  );
});

test("logged events are kept in order", () => {
  const log = recordingLogger();
  log.warn("tail-cut", { bytes: 3 });
  log.debug("quiet");
  log.warn("tail-cut");
  assert.deepEqual(
    log.events.map(({ level, event }) => `${level} ${event}`),
    ["warn tail-cut", "debug quiet", "warn tail-cut"],
  );
  assert.deepEqual(
    log.of("tail-cut").map(({ fields }) => fields),
    [{ bytes: 3 }, {}],
  );
});

test("a seed determines the world, and a restart goes on in it", async () => {
  const run = async (): Promise<string> => {
    const first = simulatedRuntime({ seed: 5, disk: { latency: { minMs: 1, maxMs: 2 } } });
    const work = async (): Promise<void> => {
      const file = await first.files.open("/a", "create");
      await file.write(first.random.bytes(3_000), 0);
      await first.files.syncDirectory("/");
    };
    await first.clock.runUntil(work());
    first.metrics.counter("starts").add(1);
    first.log.info("started");
    first.disk.crash();
    const second = first.restart();
    await assert.rejects(first.files.list("/"), (error) => hasCode(error, "IO_ERROR"));
    assert.equal(second.blocking.list("/").length, 1);
    assert.equal((await second.clock.runUntil(second.files.list("/"))).length, 1);
    assert.equal(second.disk, first.disk);
    assert.equal(second.metrics.value("starts"), 1);
    assert.equal(second.log.events.length, 0);
    const ids = [first, second, second.restart()].map(({ random }) => randomId(random));
    assert.equal(new Set(ids).size, 3);
    return JSON.stringify([ids, second.clock.monotonicMs(), [...second.disk.bytesOf("/a")]]);
  };
  assert.equal(await run(), await run());
});
