import { listOffsetsApi } from "@karst/kafka-protocol";
import { batch, append } from "./records.ts";
import type { Run } from "./scenario.ts";

/** Learns which leader epoch each broker gives to a partition that has just been made and used. */
export async function learnEpochBase(run: Run): Promise<void> {
  const topic = await run.topic();
  await append(run, topic, 0, batch([0]));
  const answers = await run.pair.call(
    "the epoch of a new partition",
    listOffsetsApi,
    6,
    {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    },
    { uncounted: true },
  );
  for (const side of ["kafka", "karst"] as const) {
    const epoch = answers[side]?.topics[0]?.partitions[0]?.leaderEpoch;
    if (epoch === undefined || epoch < 0) throw new Error(`${side} has no leader epoch`);
    run.pair.sides[side].identities.learnEpochBase(epoch);
  }
}
