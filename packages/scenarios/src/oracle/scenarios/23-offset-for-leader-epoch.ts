import { offsetForLeaderEpochApi } from "@karst/kafka-protocol";
import { append, batch } from "../records.ts";
import { type Run, type Scenario, since } from "../scenario.ts";

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  /** Both counted from that of a new partition; below zero as they are. */
  readonly current: number;
  readonly epoch: number;
}

const EPOCHS = [-2, -1, 0, 1, 5];

export const offsetForLeaderEpoch: Scenario = {
  apiKey: 23,
  run: async (run) => {
    const topic = await run.topic({ partitions: 2 });
    await append(run, topic, 0, batch([0, 1, 2]));
    for (const version of run.versions) {
      await ask(run, version, "nothing", []);
      for (const current of EPOCHS) {
        for (const epoch of EPOCHS) {
          const wanted = [0, 1].map((partition) => ({ topic, partition, current, epoch }));
          await ask(run, version, `current ${current}, epoch ${epoch}`, wanted);
        }
      }
      const at = { topic, partition: 0, current: -1, epoch: 0 };
      await ask(run, version, "unknown partition", [
        { ...at, partition: 2 },
        { ...at, partition: -1 },
      ]);
      for (const unknown of ["missing", "", "a b"])
        await ask(run, version, `unknown topic of ${unknown.length}`, [
          { ...at, topic: unknown },
          at,
        ]);
      await ask(run, version, "a partition twice", [at, at]);
      for (const replicaId of [-1, 1, 7])
        await ask(run, version, `replica ${replicaId}`, [at], replicaId);
    }
    await run.fill(async (version) => {
      const wanted = Array.from({ length: run.random.integer(1, 3) }, (_, partition) => ({
        topic,
        partition,
        current: run.one([-1, 0]),
        epoch: run.one(EPOCHS),
      }));
      await ask(run, version, "generated", wanted);
    });
  },
};

async function ask(
  run: Run,
  version: number,
  name: string,
  wanted: readonly Wanted[],
  replicaId = -2,
): Promise<void> {
  const names = [...new Set(wanted.map(({ topic }) => topic))];
  await run.pair.call(name, offsetForLeaderEpochApi, version, (at) => ({
    ...since(version, 3, { replicaId }),
    topics: names.map((topic) => ({
      topic,
      partitions: wanted
        .filter((each) => each.topic === topic)
        .map(({ partition, current, epoch }) => ({
          partition,
          currentLeaderEpoch: at.identities.epoch(current),
          leaderEpoch: at.identities.epoch(epoch),
        })),
    })),
  }));
}
