/*
 * What whoever asks may do. There is no authorizer: everything that there is to do.
 *
 * A bit per operation (2^code). Source: AclOperation, AclEntry.supportedOperations (Apache Kafka 4.2).
 */

export const TOPIC_OPERATIONS: number = operationBits([3, 4, 5, 6, 7, 8, 10, 11]);
export const GROUP_OPERATIONS: number = operationBits([3, 6, 8, 10, 11]);
export const CLUSTER_OPERATIONS: number = operationBits([5, 7, 8, 9, 10, 11, 12]);

function operationBits(codes: readonly number[]): number {
  return codes.reduce((bits, code) => bits | (1 << code), 0);
}
