import type { HeartbeatRequest, HeartbeatResponseInput } from "@karst/kafka-protocol";
import type { BrokerContext, Handling } from "./handler.ts";

/*
 * Heartbeat, versions 0–4.
 */

export function heartbeat(
  broker: BrokerContext,
  request: HeartbeatRequest,
): Handling<HeartbeatResponseInput> {
  const access = broker.groups.access;
  if (access.tag === "refused") return { response: { errorCode: access.errorCode } };
  const answer = access.groups.heartbeat(request.groupId, {
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    generation: request.generationId,
  });
  return { response: answer.then((errorCode) => ({ errorCode })) };
}
