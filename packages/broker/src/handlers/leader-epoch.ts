import type { PartitionLog } from "@karst/core";
import { ErrorCode } from "@karst/kafka-protocol";

export const EPOCH_NOT_SAID: number = -1;

/** What to answer a client that believes in another leader epoch. Below -1 it believes in one before the first. */
export function leaderEpochProblem(log: PartitionLog, clientsEpoch: number): number | undefined {
  if (clientsEpoch === EPOCH_NOT_SAID || clientsEpoch === log.leaderEpoch) return undefined;
  return clientsEpoch < log.leaderEpoch
    ? ErrorCode.FENCED_LEADER_EPOCH
    : ErrorCode.UNKNOWN_LEADER_EPOCH;
}
