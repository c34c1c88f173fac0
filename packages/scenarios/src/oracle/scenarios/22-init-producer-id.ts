import { initProducerIdApi } from "@karst/kafka-protocol";
import { type Run, type Scenario, since } from "../scenario.ts";

const TIMEOUTS = [60_000, 0, -1, 900_000, 900_001, 2_147_483_647];

export const initProducerId: Scenario = {
  apiKey: 22,
  run: async (run) => {
    for (const version of run.versions) {
      for (const timeout of TIMEOUTS) await idempotent(run, version, timeout, -1, -1);
      await call(run, version, "empty transactional id", "", 60_000, -1, -1);
    }
    await run.fill(async (version) => {
      const producerId = run.one([-1, -1, 0, 5_000, 123_456, -2]);
      const epoch = run.one([-1, -1, 0, 1, 32_766, 32_767, -2]);
      await idempotent(run, version, run.one(TIMEOUTS), producerId, epoch);
    });
  },
};

async function idempotent(
  run: Run,
  version: number,
  timeoutMs: number,
  producerId: number,
  epoch: number,
): Promise<void> {
  const has = `${producerId >= 0 ? "an" : "no"} id, ${epoch >= 0 ? "an" : "no"} epoch`;
  const name = `idempotent, timeout ${timeoutMs}, has ${version >= 3 ? has : "nothing"}`;
  await call(run, version, name, null, timeoutMs, producerId, epoch);
}

async function call(
  run: Run,
  version: number,
  name: string,
  transactionalId: string | null,
  transactionTimeoutMs: number,
  producerId: number,
  producerEpoch: number,
): Promise<void> {
  await run.pair.call(name, initProducerIdApi, version, {
    transactionalId,
    transactionTimeoutMs,
    ...since(version, 3, { producerId, producerEpoch }),
  });
}
