import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "vitest";
import { batchOf, contents } from "./batches.ts";
import { World } from "./world.ts";

let world: World;

beforeEach(async () => {
  world = await new World({ limits: { producersPerPartitionMax: 3 } }).open();
});

afterEach(() => world.close());

const sent = (baseSequence: number, values: readonly string[], epoch = 0, id = 7): Uint8Array =>
  batchOf(values, { producer: { id, epoch, baseSequence } });

test("a batch sent again gets its first offsets, and waits for the same durability", async () => {
  const log = await world.partition("t");
  await log.append(batchOf(["x"])).durable;
  const original = log.append(sent(0, ["a", "b"]));
  const again = log.append(sent(0, ["a", "b"]));
  assert.equal(again.duplicate, true);
  assert.deepEqual([again.baseOffset, again.lastOffset, again.logAppendTimeMs], [1, 2, -1]);
  assert.equal(log.logEndOffset, 3);
  assert.equal(log.highWatermark, 1);
  await again.durable;
  assert.equal(log.highWatermark, 3);
  await original.durable;
  const later = log.append(sent(0, ["a", "b"]));
  assert.deepEqual([later.duplicate, later.baseOffset], [true, 1]);
  await later.durable;
  assert.deepEqual(await contents(log), ["0:x", "1:a", "2:b"]);
});

test("a duplicate is told the time of the original append", async () => {
  const log = await world.partition("t", { "message.timestamp.type": "LogAppendTime" });
  const original = log.append(sent(0, ["a"]));
  await world.runtime.clock.advance(5000);
  const again = log.append(sent(0, ["a"]));
  assert.equal(again.duplicate, true);
  assert.equal(again.logAppendTimeMs, original.logAppendTimeMs);
});

test("gaps, old batches and old epochs are refused, and change nothing", async () => {
  const log = await world.partition("t");
  for (let i = 0; i < 6; i += 1) log.append(sent(i, [`v${i}`]));
  assert.throws(() => log.append(sent(7, ["gap"])), {
    kind: "conflict",
    code: "OUT_OF_ORDER_SEQUENCE",
  });
  assert.throws(() => log.append(sent(0, ["v0"])), { code: "OUT_OF_ORDER_SEQUENCE" });
  assert.throws(() => log.append(sent(3, ["v3", "v4"])), { code: "OUT_OF_ORDER_SEQUENCE" });
  assert.throws(() => log.append(sent(6, ["new epoch, not from 0"], 1)), {
    code: "OUT_OF_ORDER_SEQUENCE",
  });
  await log.append(sent(0, ["e1"], 1)).durable;
  assert.throws(() => log.append(sent(6, ["old"])), {
    kind: "fenced",
    code: "INVALID_PRODUCER_EPOCH",
  });
  assert.equal(log.append(sent(0, ["e1"], 1)).duplicate, true);
  assert.deepEqual(await contents(log), ["0:v0", "1:v1", "2:v2", "3:v3", "4:v4", "5:v5", "6:e1"]);
});

test("a duplicate is acknowledged before the condition and before the fence could refuse it", async () => {
  const log = await world.partition("t");
  await log.append(sent(0, ["a"])).durable;
  const again = log.append(sent(0, ["a"]), { ifOffset: 99 });
  assert.equal(again.duplicate, true);
  assert.throws(() => log.append(sent(1, ["b"]), { ifOffset: 99 }), {
    code: "OFFSET_CONDITION_FAILED",
  });
  await log.close();
  assert.equal(log.append(sent(0, ["a"])).baseOffset, 0);
  assert.throws(() => log.append(sent(1, ["b"])), { kind: "closed", code: "PARTITION_CLOSED" });
  assert.equal(log.closed, true);
});

test("an append that the stream refuses is not remembered", async () => {
  await world.close();
  world = await new World({
    limits: { batchBytesMax: 300, unuploadedBytesMax: 1200, uploadBytes: 1200 },
  }).open();
  const log = await world.partition("t", { "max.message.bytes": "300" });
  let taken = 0;
  const fill = (): void => {
    for (;;) {
      log.append(sent(taken, ["x".repeat(100)]));
      taken += 1;
    }
  };
  assert.throws(fill, { kind: "unavailable" });
  assert.equal(log.logEndOffset, taken);
  await world.engine.upload();
  // The same sequence, for the first time.
  const append = log.append(sent(taken, ["x".repeat(100)]));
  assert.equal(append.duplicate, false);
  await append.durable;
});

test("beyond the limit the producer longest silent is forgotten", async () => {
  const log = await world.partition("t");
  for (let id = 1; id <= 4; id += 1) log.append(sent(0, [`p${id}`], 0, id));
  assert.equal(log.append(sent(0, ["p2"], 0, 2)).duplicate, true);
  // Nothing is known of the first one any more, so that its batch is new.
  assert.equal(log.append(sent(0, ["p1"], 0, 1)).duplicate, false);
});

test("a producer that was silent for a day begins anew", async () => {
  const log = await world.partition("t");
  log.append(sent(0, ["a"]));
  await world.runtime.clock.advance(86_400_000 - 1);
  assert.throws(() => log.append(sent(5, ["b"])), { code: "OUT_OF_ORDER_SEQUENCE" });
  await world.runtime.clock.advance(1);
  await log.append(sent(5, ["b"])).durable;
  assert.deepEqual(await contents(log), ["0:a", "1:b"]);
});

test.each(["crash", "restart"] as const)(
  "after a %s duplicates are known: from the tail alone",
  async (how) => {
    const log = await world.partition("t");
    for (let i = 0; i < 3; i += 1) await log.append(sent(i * 2, [`${i}a`, `${i}b`])).durable;
    await world[how]();
    const again = await world.reopened("t");
    for (let i = 0; i < 3; i += 1) {
      const append = again.append(sent(i * 2, [`${i}a`, `${i}b`]));
      assert.deepEqual(
        [append.duplicate, append.baseOffset, append.lastOffset],
        [true, i * 2, i * 2 + 1],
      );
      await append.durable;
    }
    assert.throws(() => again.append(sent(7, ["gap"])), { code: "OUT_OF_ORDER_SEQUENCE" });
    await again.append(sent(6, ["next"])).durable;
    assert.deepEqual(await contents(again), [
      "0:0a",
      "1:0b",
      "2:1a",
      "3:1b",
      "4:2a",
      "5:2b",
      "6:next",
    ]);
  },
);

test.each(["crash", "restart"] as const)(
  "after a %s duplicates are known: state block and tail",
  async (how) => {
    const log = await world.partition("t");
    await log.append(sent(0, ["a"], 3)).durable;
    await log.append(sent(0, ["other"], 0, 8)).durable;
    await world.engine.upload();
    // Trimmed away: only the state block can know.
    await log.trim(2);
    await log.append(sent(1, ["b"], 3)).durable;
    await world[how]();
    const again = await world.reopened("t");
    assert.equal(again.logStartOffset, 2);
    assert.equal(again.append(sent(0, ["a"], 3)).baseOffset, 0);
    assert.equal(again.append(sent(1, ["b"], 3)).baseOffset, 2);
    assert.equal(again.append(sent(0, ["other"], 0, 8)).duplicate, true);
    assert.throws(() => again.append(sent(2, ["old"], 2)), { code: "INVALID_PRODUCER_EPOCH" });
    await again.append(sent(2, ["c"], 3)).durable;
    assert.deepEqual(await contents(again), ["2:b", "3:c"]);
  },
);

test("state survives a close and an open within one process", async () => {
  const log = await world.partition("t");
  await log.append(sent(0, ["a"])).durable;
  await world.engine.upload();
  await log.append(sent(1, ["b"])).durable;
  await world.restart();
  await world.restart();
  const again = await world.reopened("t");
  assert.equal(again.append(sent(1, ["b"])).duplicate, true);
  assert.equal(again.append(sent(0, ["a"])).duplicate, true);
  assert.deepEqual(await contents(again), ["0:a", "1:b"]);
});

test("leader epochs survive, each with its first offset", async () => {
  const log = await world.partition("t");
  const first = log.leaderEpoch;
  await log.append(batchOf(["a", "b"])).durable;
  await world.restart();
  const second = await world.reopened("t");
  assert.ok(second.leaderEpoch > first);
  await second.append(batchOf(["c"])).durable;
  await world.restart();
  const third = await world.reopened("t");
  await world.crash();
  const log4 = await world.reopened("t");
  // A crash is no change of the owner.
  assert.equal(log4.leaderEpoch, third.leaderEpoch);
  assert.deepEqual(
    [0, 1, 2, 3].map((offset) => log4.leaderEpochAt(offset)),
    [first, first, second.leaderEpoch, third.leaderEpoch],
  );
  assert.deepEqual(
    [first, second.leaderEpoch, third.leaderEpoch, third.leaderEpoch + 1].map(
      (epoch) => log4.endOfLeaderEpoch(epoch)?.endOffset,
    ),
    [2, 3, 3, undefined],
  );
});
