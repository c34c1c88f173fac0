import { listOffsetsApi } from "@karst/kafka-protocol";
import { type Run, type Scenario, since } from "../scenario.ts";
import { batch, FIRST_TIMESTAMP_MS, append } from "../records.ts";

const SPECIAL = [-1, -2, -3, -4, -5, -6, -7, -100];

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  /** Counted from that of a new partition; default: not said. */
  readonly epoch?: number;
}

export const listOffsets: Scenario = {
  apiKey: 2,
  run: async (run) => {
    const topic = await run.topic({ partitions: 3 });
    const stamped = await run.topic({ configs: { "message.timestamp.type": "LogAppendTime" } });
    // Partition 0: times go up and down; 1: one record; 2: nothing.
    for (const delays of [[0, 10, 20], [5], [100, 50, 70], [60], [200, 200]])
      await append(run, topic, 0, batch(delays));
    await append(run, topic, 1, batch([30]));
    await append(run, stamped, 0, batch([0, 1]));
    for (const version of run.versions) {
      for (const isolation of [0, 1]) {
        for (const timestamp of SPECIAL) {
          const each = [0, 1, 2].map((partition) => ({ topic, partition, timestamp }));
          await ask(run, version, `timestamp ${timestamp}`, each, { isolation });
        }
      }
      for (const after of [-1_000, 0, 1, 5, 20, 21, 55, 60, 61, 99, 100, 101, 200, 201, 1_000]) {
        const timestamp = FIRST_TIMESTAMP_MS + after;
        const each = [0, 1, 2].map((partition) => ({ topic, partition, timestamp }));
        await ask(run, version, `time ${after}`, each);
      }
      await problems(run, version, topic);
      const latest = [{ topic: stamped, partition: 0, timestamp: -1 }];
      await ask(run, version, "of append times", latest);
    }
    await run.fill(async (version) => {
      const wanted = Array.from({ length: run.random.integer(1, 3) }, (_, partition) => ({
        topic,
        partition,
        timestamp: FIRST_TIMESTAMP_MS + run.random.integer(-50, 250),
      }));
      await ask(run, version, "generated", wanted);
    });
  },
};

async function problems(run: Run, version: number, topic: string): Promise<void> {
  const at = (partition: number, timestamp = -1): Wanted => ({ topic, partition, timestamp });
  await ask(run, version, "nothing", []);
  await ask(run, version, "unknown partition", [at(3), at(-1), at(0)]);
  await ask(run, version, "unknown topic", [{ ...at(0), topic: "missing" }]);
  await ask(run, version, "empty topic name", [{ ...at(0), topic: "" }]);
  await ask(run, version, "bad topic name", [{ ...at(0), topic: "a b" }]);
  await ask(run, version, "a partition twice", [at(0), at(0)]);
  await ask(run, version, "a partition twice, and another", [at(0), at(0, -2), at(1)]);
  await ask(run, version, "isolation 2", [at(0)], { isolation: 2 });
  for (const replicaId of [-2, 1, 7, -3])
    await ask(run, version, `replica ${replicaId}`, [at(0)], { replicaId });
  for (const epoch of [0, 1, 5, -2])
    await ask(run, version, `epoch ${epoch}`, [
      { ...at(0), epoch },
      { ...at(1, -2), epoch },
    ]);
}

async function ask(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
  options: { readonly isolation?: number; readonly replicaId?: number } = {},
): Promise<void> {
  const names = [...new Set(wanted.map(({ topic }) => topic))];
  await run.pair.call(name, listOffsetsApi, version, (at) => ({
    replicaId: options.replicaId ?? -1,
    ...since(version, 2, { isolationLevel: options.isolation ?? 0 }),
    topics: names.map((topic) => ({
      name: topic,
      partitions: wanted
        .filter((each) => each.topic === topic)
        .map(({ partition, timestamp, epoch }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: epoch === undefined ? -1 : at.identities.epoch(epoch),
          timestamp,
        })),
    })),
    ...since(version, 10, { timeoutMs: 1_000 }),
  }));
}
