import { findCoordinatorApi, heartbeatApi } from "@karst/kafka-protocol";
import type { Run } from "./scenario.ts";

const POLLS_MAX = 400;
/** Groups, transactional ids. */
const KEY_TYPES = [0, 1];

const NOT_READY: ReadonlySet<number | undefined> = new Set([14, 15, 16]);

/** Kafka makes the topics of its coordinators when they are first looked for, and has none until they are there. */
export async function untilKafkaCoordinates(run: Run): Promise<void> {
  for (const keyType of KEY_TYPES) {
    for (let poll = 0; ; poll += 1) {
      const wanted = { key: "warm-up", keyType };
      const { kafka } = await run.pair.call("warm up", findCoordinatorApi, 3, wanted, {
        uncounted: true,
      });
      if (kafka?.errorCode === 0) break;
      if (poll === POLLS_MAX) throw new Error(`Kafka has no coordinator of type ${keyType}`);
      await run.pause();
    }
  }
  // Its answer is known before its coordinator has read what is in the topic.
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    const wanted = { groupId: "warm-up", generationId: 1, memberId: "nobody" };
    const { kafka } = await run.pair.call("warm up", heartbeatApi, 0, wanted, { uncounted: true });
    if (!NOT_READY.has(kafka?.errorCode)) return;
    await run.pause();
  }
  throw new Error("Kafka's coordinator does not become ready");
}
