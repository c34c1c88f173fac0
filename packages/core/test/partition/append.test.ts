import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "vitest";
import {
  BatchBuilder,
  CODEC_NAMES,
  decodeBatch,
  encodeBatch,
  type EncodedBatch,
  encodeRecords,
  readAttributes,
  readBaseOffset,
  readLeaderEpoch,
  type RecordInput,
  verifyBatch,
} from "@karst/records";
import { copyOf, utf8Encode, viewOf } from "@karst/runtime";
import { batchOf, changed, contents, NOW } from "./batches.ts";
import { World } from "./world.ts";

let world: World;

beforeEach(async () => {
  world = await new World().open();
});

afterEach(() => world.close());

test("batches get the next offsets and the leader epoch, and are read once they are durable", async () => {
  const log = await world.partition("t");
  const bytes = batchOf(["a", "b"]);
  const first = log.append(bytes);
  const second = log.append(batchOf(["c"]));
  bytes.fill(0);
  assert.deepEqual(
    [first, second].map(
      ({ baseOffset, lastOffset, logAppendTimeMs, logStartOffset, duplicate }) => ({
        baseOffset,
        lastOffset,
        logAppendTimeMs,
        logStartOffset,
        duplicate,
      }),
    ),
    [
      { baseOffset: 0, lastOffset: 1, logAppendTimeMs: -1, logStartOffset: 0, duplicate: false },
      { baseOffset: 2, lastOffset: 2, logAppendTimeMs: -1, logStartOffset: 0, duplicate: false },
    ],
  );
  assert.equal(log.logEndOffset, 3);
  assert.equal(log.highWatermark, 0);
  assert.deepEqual(await contents(log), []);
  await second.durable;
  assert.equal(log.highWatermark, 3);
  assert.equal(log.lastStableOffset, 3);
  assert.deepEqual(await contents(log), ["0:a", "1:b", "2:c"]);
  const read = await log.read({ from: 2, bytesMax: 1, isolation: "read_committed" });
  const view = viewOf(copyOf(read.batches[0]?.payload ?? new Uint8Array(0)));
  read.release();
  assert.equal(readBaseOffset(view), 2);
  assert.equal(readLeaderEpoch(view), log.leaderEpoch);
  assert.equal(log.leaderEpochAt(2), log.leaderEpoch);
});

test("what is refused leaves nothing behind", async () => {
  const log = await world.partition("t", { "max.message.bytes": "200" });
  const good = batchOf(["x"]);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "INVALID_RECORD"],
    [good.subarray(0, 65), "TRUNCATED_BATCH"],
    [batchOf(["x".repeat(200)]), "BATCH_TOO_LARGE"],
    [changed(good, (view) => view.setInt8(16, 1)), "UNSUPPORTED_MAGIC"],
    [batchOf(["x"], { control: true }), "INVALID_RECORD"],
    [
      batchOf(["x"], { transactional: true, producer: { id: 1, epoch: 0, baseSequence: 0 } }),
      "INVALID_TXN_STATE",
    ],
    [batchOf(["x"], { logAppendTimeMs: NOW }), "INVALID_TIMESTAMP"],
  ];
  for (const [batch, code] of cases) assert.throws(() => log.append(batch), { code }, code);
  const damaged = batchOf(["x"]);
  damaged.fill(7, 66);
  assert.throws(() => log.append(damaged), { code: "CORRUPT_BATCH" });
  assert.equal(log.logEndOffset, 0);
  await log.append(good).durable;
  assert.deepEqual(await contents(log), ["0:x"]);
});

test("records that no reader could follow are refused, although their CRC is right", async () => {
  const log = await world.partition("t");
  // The second record's offset delta; and a record length that leads nowhere.
  const two = batchOf(["a", "b"]);
  const second = two.length - 8;
  assert.equal(two[second + 3], 2);
  assert.throws(() => log.append(changed(two, (view) => view.setInt8(second + 3, 4))), {
    code: "INVALID_RECORD",
  });
  assert.throws(() => log.append(changed(two, (view) => view.setInt8(61, 126))), {
    code: "INVALID_RECORD",
  });
  assert.equal(log.logEndOffset, 0);
});

test("in a topic that is to be compacted every record has a key", async () => {
  const log = await world.partition("t", { "cleanup.policy": "delete,compact" });
  const keyed = { timestampMs: NOW, key: utf8Encode("k"), value: utf8Encode("v") };
  const keyless = { timestampMs: NOW, key: null, value: utf8Encode("v") };
  for (const codec of CODEC_NAMES) {
    const built = (): EncodedBatch => {
      const builder = new BatchBuilder();
      assert(builder.tryAppend([keyed]) && builder.tryAppend([keyless]));
      return builder.build({ codec });
    };
    for (const append of [
      () => log.append(encodeBatch([keyed, keyless], { codec })),
      () => log.append(encodeRecords([keyed, keyless], { codec })),
      () => log.append(built()),
    ])
      assert.throws(append, { code: "INVALID_RECORD", message: /record 1 .* has no key/ });
  }
  assert.equal(log.logEndOffset, 0);
  for (const codec of CODEC_NAMES) {
    await log.append(encodeBatch([keyed, { ...keyed, value: null }], { codec })).durable;
    await log.append(encodeRecords([keyed, { ...keyed, value: null }], { codec })).durable;
  }
  assert.equal(log.logEndOffset, 4 * CODEC_NAMES.length);
});

test("in a topic that is to be compacted a batch is whole within its compression too", async () => {
  const log = await world.partition("t", { "cleanup.policy": "compact" });
  const keyed = { timestampMs: NOW, key: utf8Encode("k"), value: utf8Encode("v".repeat(200)) };
  for (const codec of CODEC_NAMES.filter((name) => name !== "none")) {
    const batch = encodeBatch([keyed, keyed], { codec });
    const refused = (change: (view: DataView) => void): void =>
      assert.throws(() => log.append(changed(batch, change)), { code: "INVALID_RECORD" });
    refused((view) => view.setUint32(61, 0x0bad_0bad));
    refused((view) => {
      view.setInt32(57, 3);
      view.setInt32(23, 2);
    });
    refused((view) => {
      view.setInt32(57, 1);
      view.setInt32(23, 0);
    });
  }
  const zeros = { ...keyed, value: new Uint8Array(4 << 20) };
  assert.throws(() => log.append(encodeBatch([zeros], { codec: "zstd" })), {
    code: "DECOMPRESSED_TOO_LARGE",
  });
  assert.equal(log.logEndOffset, 0);
  // Nobody looks into what others take.
  const other = await world.partition("other");
  await other.append(encodeBatch([zeros], { codec: "zstd" })).durable;
});

test("the greatest timestamp of a compressed batch is put right where it is seen", async () => {
  const log = await world.partition("t", { "cleanup.policy": "compact" });
  const at = (timestampMs: number): RecordInput => ({
    timestampMs,
    key: utf8Encode("k"),
    value: null,
  });
  const batch = encodeBatch([at(NOW), at(NOW + 7)], { codec: "gzip" });
  await log.append(changed(batch, (view) => view.setBigInt64(35, 5n))).durable;
  const { timestampMs } = (await log.offsetOfMaxTimestamp()) ?? {};
  assert.equal(timestampMs, NOW + 7);
  const strict = await world.partition("strict", {
    "cleanup.policy": "compact",
    "message.timestamp.before.max.ms": "1000",
  });
  const old = encodeBatch([at(NOW), at(NOW - 5_000)], { codec: "gzip" });
  assert.throws(() => strict.append(old), { code: "INVALID_TIMESTAMP" });
});

test("LogAppendTime: the broker's clock, in the batch and in the answer", async () => {
  const log = await world.partition("t", { "message.timestamp.type": "LogAppendTime" });
  const append = log.append(batchOf([{ value: "a", timestampMs: 5 }]));
  assert.equal(append.logAppendTimeMs, NOW);
  await append.durable;
  const read = await log.read({ from: 0, bytesMax: 1, isolation: "read_uncommitted" });
  const payload = read.batches[0]?.payload ?? new Uint8Array(0);
  assert.equal(verifyBatch(payload).maxTimestampMs, NOW);
  assert.equal(readAttributes(viewOf(payload)) & 8, 8);
  assert.equal(decodeBatch(payload)[0]?.timestampMs, NOW);
  read.release();
});

test("CreateTime outside the topic's bounds", async () => {
  const bounds = {
    "message.timestamp.before.max.ms": "1000",
    "message.timestamp.after.max.ms": "2000",
  };
  const log = await world.partition("t", bounds);
  for (const codec of ["none", "gzip"] as const) {
    for (const timestampMs of [NOW - 1001, NOW + 2001]) {
      assert.throws(() => log.append(batchOf([{ value: "a", timestampMs }], { codec })), {
        code: "INVALID_TIMESTAMP",
      });
    }
  }
  // The offender is neither the first record nor the one with the greatest time.
  const middle = ["a", { value: "b", timestampMs: NOW - 1001 }, "c"];
  assert.throws(() => log.append(batchOf(middle)), { code: "INVALID_TIMESTAMP" });
  await log.append(batchOf([{ value: "early", timestampMs: NOW - 1000 }])).durable;
  await log.append(batchOf([{ value: "late", timestampMs: NOW + 2000 }])).durable;
  await log.append(batchOf([{ value: "none", timestampMs: -1 }])).durable;
  assert.deepEqual(await contents(log), ["0:early", "1:late", "2:none"]);
});

test("a batch that was encoded here is appended as one that was received", async () => {
  const log = await world.partition("t", {
    "max.message.bytes": "200",
    "message.timestamp.before.max.ms": "1000",
  });
  const record = (text: string, timestampMs: number = NOW): RecordInput => ({
    timestampMs,
    value: utf8Encode(text),
  });
  assert.throws(() => log.append(encodeRecords([record("x".repeat(200))])), {
    code: "BATCH_TOO_LARGE",
  });
  // The offender is neither the first record nor the one with the greatest time.
  const middle = [record("a"), record("b", NOW - 1001), record("c")];
  assert.throws(() => log.append(encodeRecords(middle)), { code: "INVALID_TIMESTAMP" });
  assert.throws(() => log.append(encodeRecords([record("x")], { control: true })), {
    code: "INVALID_RECORD",
  });
  const builder = new BatchBuilder();
  assert.ok(builder.tryAppend([record("a"), record("b", NOW - 1000)]));
  const first = log.append(builder.build());
  assert.ok(builder.tryAppend([record("c")]));
  const second = log.append(builder.build(), { ifOffset: 2 });
  assert.deepEqual([first.baseOffset, second.baseOffset], [0, 2]);
  await second.durable;
  assert.deepEqual(await contents(log), ["0:a", "1:b", "2:c"]);
});

test("LogAppendTime replaces the times of a batch that was encoded here", async () => {
  const log = await world.partition("t", { "message.timestamp.type": "LogAppendTime" });
  const batch = encodeRecords([{ timestampMs: 5, value: utf8Encode("a") }]);
  assert.equal(log.append(batch).logAppendTimeMs, NOW);
  await log.append(batchOf(["b"])).durable;
  assert.deepEqual(await contents(log), ["0:a", "1:b"]);
});

test("by default an hour ahead is too late, and nothing is too early", async () => {
  const log = await world.partition("t");
  assert.throws(() => log.append(batchOf([{ value: "a", timestampMs: NOW + 3_600_001 }])), {
    code: "INVALID_TIMESTAMP",
  });
  await log.append(batchOf([{ value: "a", timestampMs: 0 }])).durable;
});

test("a wrong greatest timestamp is corrected", async () => {
  const log = await world.partition("t");
  const batch = changed(batchOf(["a", { value: "b", timestampMs: NOW + 7 }]), (view) =>
    view.setBigInt64(35, BigInt(NOW + 99)),
  );
  await log.append(batch).durable;
  assert.deepEqual(await log.offsetOfMaxTimestamp(), {
    offset: 1,
    timestampMs: NOW + 7,
    leaderEpoch: log.leaderEpoch,
  });
  assert.deepEqual(await contents(log), ["0:a", "1:b"]);
});

test("batches of codecs that are not known here pass", async () => {
  const log = await world.partition("t");
  const opaque = changed(batchOf(["a", "b", "c"]), (view) => view.setInt16(21, 2));
  const append = log.append(opaque);
  await append.durable;
  assert.equal(append.lastOffset, 2);
  assert.equal(log.highWatermark, 3);
});

test("ifOffset lets one of two writers win", async () => {
  const log = await world.partition("t");
  const won = log.append(batchOf(["a"]), { ifOffset: 0 });
  assert.throws(() => log.append(batchOf(["b"]), { ifOffset: 0 }), {
    kind: "conflict",
    code: "OFFSET_CONDITION_FAILED",
  });
  await won.durable;
  await log.append(batchOf(["c"]), { ifOffset: 1 }).durable;
  assert.deepEqual(await contents(log), ["0:a", "1:c"]);
});
