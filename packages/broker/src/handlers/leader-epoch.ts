import type { PartitionLog } from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";

/** What to answer a client that believes in another leader epoch; below 0: it did not say. */
export function leaderEpochProblem(log: PartitionLog, clientsEpoch: number): number | undefined {
  if (clientsEpoch < 0 || clientsEpoch === log.leaderEpoch) return undefined;
  return clientsEpoch < log.leaderEpoch
    ? ErrorCode.FENCED_LEADER_EPOCH
    : ErrorCode.UNKNOWN_LEADER_EPOCH;
}
