import {
  ErrorCode,
  type InitProducerIdRequest,
  type InitProducerIdResponseInput,
} from "@karst/kafka-protocol";
import { kafkaErrorOf } from "../kafka-errors.ts";
import type { BrokerContext, Handling } from "./handler.ts";

/*
 * InitProducerId, versions 0–5, for idempotent producers: a fresh id with epoch 0, also for a producer that brings its old one (KIP-360
 * keeps ids only for transactional producers). Not here: transactional ids, which are refused with INVALID_REQUEST until there is a
 * coordinator; version 6 (two-phase commit, unstable in Kafka).
 */

/** A producer that has an id has an epoch, and the other way round. */
const NONE = -1;

export function initProducerId(
  broker: BrokerContext,
  request: InitProducerIdRequest,
): Handling<InitProducerIdResponseInput> {
  const failed = (errorCode: number): InitProducerIdResponseInput => ({
    errorCode,
    producerId: -1,
    producerEpoch: -1,
  });
  if (request.transactionalId !== null) return { response: failed(ErrorCode.INVALID_REQUEST) };
  if ((request.producerId === NONE) !== (request.producerEpoch === NONE))
    return { response: failed(ErrorCode.INVALID_REQUEST) };
  return {
    response: broker.topics.nextProducerId().then(
      (producerId) => ({ errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }),
      (error: unknown) => failed(kafkaErrorOf(error)),
    ),
  };
}
