import { produceApi, type ProduceResponse } from "@karst/kafka-protocol";
import { CODEC_NAMES } from "@karst/records";
import type { Side } from "../pair.ts";
import { BAD_BATCHES } from "../bad-batches.ts";
import { AT_ATTRIBUTES, stamped } from "../batch-bytes.ts";
import { producerIds } from "../producers.ts";
import { batch, FIRST_TIMESTAMP_MS } from "../records.ts";
import type { Run, Scenario } from "../scenario.ts";

const STRANGE_ID = "0123456789abcdef0123456789abcdef";
const FIRST_VERSION_WITH_TOPIC_IDS = 13;
/** For what Kafka leaves unanswered for ever. */
const NO_PATIENCE_MS = 500;
const ACKS = [-1, 0, 1, 2, -2, 32_767];

type Records = Uint8Array | null | ((at: Side) => Uint8Array);

interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly records: Records;
}

interface Options {
  readonly acks?: number;
  readonly transactionalId?: string;
  readonly patienceMs?: number;
}

export const produce: Scenario = {
  apiKey: 0,
  run: async (run) => {
    for (const version of run.versions) {
      const topic = await run.topic({ partitions: 3 });
      await normal(run, version, topic);
      await refused(run, version, topic);
      await idempotent(run, version, topic);
      await configured(run, version);
    }
    const topic = await run.topic({ partitions: 3 });
    await run.fill(async (version) => {
      const parts = Array.from({ length: run.random.integer(1, 3) }, (_, partition) => ({
        topic,
        partition,
        records: batch(
          Array.from({ length: run.random.integer(1, 20) }, () => run.random.integer(0, 99)),
        ),
      }));
      await send(run, version, "generated", parts, { acks: run.one([-1, 0, 1]) });
    });
  },
};

async function normal(run: Run, version: number, topic: string): Promise<void> {
  const part = (partition: number, records: Records): Part => ({ topic, partition, records });
  await send(run, version, "nothing", []);
  await send(run, version, "a record", [part(0, batch([0]))]);
  await send(run, version, "three partitions", [
    part(2, batch([0])),
    part(0, batch([1, 2, 3])),
    part(1, batch([4])),
  ]);
  await send(run, version, "gzip", [part(0, batch([0, 1, 2], { codec: "gzip" }))]);
  await send(run, version, "no timestamp", [part(0, batch([-1]))]);
  for (const acks of ACKS) {
    await send(run, version, `acks ${acks}`, [part(0, batch([0]))], { acks });
    await send(
      run,
      version,
      `acks ${acks}, one unknown`,
      [part(0, batch([0])), part(9, batch([0]))],
      { acks },
    );
  }
}

async function refused(run: Run, version: number, topic: string): Promise<void> {
  let at = topic;
  const part = (partition: number, records: Records): Part => ({ topic: at, partition, records });
  const good = batch([0]);
  await send(run, version, "no records", [part(0, null)], { patienceMs: NO_PATIENCE_MS });
  await send(run, version, "zero bytes", [part(0, new Uint8Array())]);
  await send(run, version, "unknown partition", [part(3, good), part(-1, good)]);
  for (const unknown of ["missing", "", "a b", ".."])
    await send(run, version, `unknown topic of ${unknown.length}`, [
      { ...part(0, good), topic: unknown },
    ]);
  await send(run, version, "good and unknown", [
    part(0, good),
    { ...part(0, good), topic: "missing" },
  ]);
  await send(run, version, "a partition twice", [part(0, good), part(0, batch([1, 2]))]);
  at = await run.topic({ partitions: 3 });
  await send(run, version, "transactional id, plain batch", [part(0, good)], {
    transactionalId: "tx",
  });
  at = await run.topic({ partitions: 3 });
  for (const [name, records] of BAD_BATCHES) {
    // Where only one of them takes a batch, their logs go apart: another topic is needed.
    const alone = await send(run, version, name, [part(0, records)]);
    if (!alone) at = await run.topic({ partitions: 3 });
    const parts = [part(0, records), part(1, good)];
    const beside = await send(run, version, `${name}, beside a good one`, parts);
    if (!beside) at = await run.topic({ partitions: 3 });
  }
}

/** Sequences and epochs of producers. */
async function idempotent(run: Run, version: number, topic: string): Promise<void> {
  const ids = await producerIds(run);
  const step = async (
    name: string,
    epoch: number,
    baseSequence: number,
    count = 1,
  ): Promise<void> => {
    const delays = Array.from({ length: count }, (_, i) => i);
    const records = (at: Side): Uint8Array =>
      batch(delays, { producer: { id: at.pick(ids), epoch, baseSequence } });
    await send(run, version, `producer: ${name}`, [{ topic, partition: 2, records }]);
  };
  await step("first", 0, 0, 3);
  await step("duplicate", 0, 0, 3);
  await step("next", 0, 3);
  await step("gap", 0, 7);
  await step("overlap", 0, 2, 2);
  await step("duplicate of the first", 0, 0, 3);
  for (let sequence = 4; sequence < 10; sequence += 1) await step(`batch ${sequence}`, 0, sequence);
  await step("duplicate of five before", 0, 5);
  await step("duplicate that is forgotten", 0, 0, 3);
  await step("new epoch, old sequence", 1, 10);
  await step("new epoch", 1, 0);
  await step("old epoch", 0, 10);
  await step("old epoch, duplicate", 0, 9);
  await step("epoch skipped", 5, 0);
  await step("negative sequence", 5, -1);
  await step("negative epoch", -1, 1);
  const strangers = await producerIds(run);
  const stranger = (at: Side): Uint8Array =>
    batch([0], { producer: { id: at.pick(strangers), epoch: 0, baseSequence: 5 } });
  await send(run, version, "producer: unknown, sequence 5", [
    { topic, partition: 2, records: stranger },
  ]);
  const wrapping = await producerIds(run);
  for (const [name, baseSequence] of [
    ["before the end", 2_147_483_646],
    ["at the end", 0],
    ["after it", 1],
  ] as const) {
    const records = (at: Side): Uint8Array =>
      batch(name === "before the end" ? [0, 1] : [0], {
        producer: { id: at.pick(wrapping), epoch: 0, baseSequence },
      });
    await send(run, version, `producer: sequence ${name}`, [{ topic, partition: 2, records }]);
  }
  const transactional = (at: Side): Uint8Array =>
    batch([0], {
      producer: { id: at.pick(strangers), epoch: 0, baseSequence: 6 },
      transactional: true,
    });
  await send(run, version, "transactional batch, no id", [
    { topic, partition: 2, records: transactional },
  ]);
}

/** Topics with settings that decide about a batch. */
async function configured(run: Run, version: number): Promise<void> {
  const small = await run.topic({ configs: { "max.message.bytes": "200" } });
  const to = (topic: string, records: Records): readonly Part[] => [
    { topic, partition: 0, records },
  ];
  await send(run, version, "too large", to(small, batch(Array.from({ length: 20 }, (_, i) => i))));
  await send(run, version, "small enough", to(small, batch([0])));
  const timed = await run.topic({ configs: { "message.timestamp.type": "LogAppendTime" } });
  await send(run, version, "append time", to(timed, batch([0, 1])));
  const compacted = await run.topic({ configs: { "cleanup.policy": "compact" } });
  await send(run, version, "compacted, keys missing", to(compacted, batch([0, 1, 2])));
  await send(run, version, "compacted, with keys", to(compacted, batch([0])));
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    const keyless = batch([0, 1, 2], { codec });
    await send(run, version, `compacted, keys missing, ${codec}`, to(compacted, keyless));
    await send(
      run,
      version,
      `compacted, with keys, ${codec}`,
      to(compacted, batch([0], { codec })),
    );
    const damaged = stamped([0], (view) =>
      view.setInt16(AT_ATTRIBUTES, CODEC_NAMES.indexOf(codec)),
    );
    await send(run, version, `compacted, damaged ${codec}`, to(compacted, damaged));
  }
  const strict = await run.topic({
    configs: {
      "message.timestamp.before.max.ms": "1000",
      "message.timestamp.after.max.ms": "1000",
    },
  });
  await send(run, version, "too old", to(strict, batch([0])));
  await send(run, version, "too new", to(strict, batch([7_200_000])));
  await send(run, version, "in time", to(strict, batch([Date.now() - FIRST_TIMESTAMP_MS])));
  await send(run, version, "far in the future", to(small, batch([8_000_000])));
}

/** @returns whether both have put the batches at the same offsets. */
async function send(
  run: Run,
  version: number,
  name: string,
  parts: readonly Part[],
  options: Options = {},
): Promise<boolean> {
  const byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
  const names = [...new Set(parts.map(({ topic }) => topic))];
  const topicIdOf = (at: Side, topic: string): string =>
    topic.startsWith("oracle") ? at.identities.topicId(topic) : STRANGE_ID;
  const acks = options.acks ?? -1;
  const { kafka, karst } = await run.pair.call(
    name,
    produceApi,
    version,
    (at) => ({
      transactionalId: options.transactionalId ?? null,
      acks,
      timeoutMs: 5_000,
      topicData: names.map((topic) => ({
        ...(byId ? { topicId: topicIdOf(at, topic) } : { name: topic }),
        partitionData: parts
          .filter((part) => part.topic === topic)
          .map(({ partition, records }) => ({
            index: partition,
            records: typeof records === "function" ? records(at) : records,
          })),
      })),
    }),
    {
      mayBeSilent: acks === 0,
      ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
    },
  );
  return placesOf(kafka) === placesOf(karst);
}

/** Where the batches have come to be. */
function placesOf(answer: ProduceResponse | undefined): string {
  const partitions = (answer?.responses ?? []).flatMap((topic) => topic.partitionResponses);
  return partitions.map(({ index, baseOffset }) => `${index}:${baseOffset}`).join();
}
