import { initProducerIdApi } from "@karst/kafka-protocol";
import type { Both } from "./pair.ts";
import type { Run } from "./scenario.ts";

const POLLS_MAX = 200;

/** A fresh producer id of each. Kafka refuses the first ones, until it has a block of them. */
export async function producerIds(run: Run): Promise<Both<number>> {
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    const { kafka, karst } = await run.pair.call(
      "a producer id",
      initProducerIdApi,
      4,
      { transactionalId: null, transactionTimeoutMs: 60_000 },
      { uncounted: true },
    );
    if (kafka?.errorCode === 0 && karst?.errorCode === 0)
      return { kafka: kafka.producerId, karst: karst.producerId };
    await run.pause();
  }
  throw new Error("no producer ids");
}
