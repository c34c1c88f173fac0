import { describeClusterApi } from "@karst/kafka-protocol";
import { type Run, type Scenario, since } from "../scenario.ts";

const BROKERS = 1;
const ENDPOINT_TYPES = [BROKERS, 2, 0, 3, -1, 127];

export const describeCluster: Scenario = {
  apiKey: 60,
  run: async (run) => {
    for (const version of run.versions) {
      for (const endpointType of version >= 1 ? ENDPOINT_TYPES : [BROKERS]) {
        for (const operations of [false, true]) {
          for (const fenced of version >= 2 ? [false, true] : [false])
            await ask(run, version, endpointType, operations, fenced);
        }
      }
    }
    await run.fill((version) =>
      ask(
        run,
        version,
        version >= 1 ? run.one(ENDPOINT_TYPES) : BROKERS,
        run.random.fraction() < 0.5,
        run.random.fraction() < 0.5,
      ),
    );
  },
};

async function ask(
  run: Run,
  version: number,
  endpointType: number,
  includeClusterAuthorizedOperations: boolean,
  includeFencedBrokers: boolean,
): Promise<void> {
  const more = includeClusterAuthorizedOperations ? ", with operations" : "";
  await run.pair.call(`endpoint type ${endpointType}${more}`, describeClusterApi, version, {
    includeClusterAuthorizedOperations,
    ...since(version, 1, { endpointType }),
    ...since(version, 2, { includeFencedBrokers }),
  });
}
