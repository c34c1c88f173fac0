import {
  ErrorCode,
  type SyncGroupRequest,
  type SyncGroupResponseInput,
} from "@karst/kafka-protocol";
import { copyOf } from "@karst/runtime";
import { refusedSync, type SyncAnswer } from "../groups/group-event.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";

/*
 * SyncGroup, versions 0–5. Answered when the leader's assignment is on record; later responses of the same connection wait. Since
 * version 5 the protocol that the member believes in has to be said.
 */

const FIRST_VERSION_WITH_PROTOCOL = 5;

export function syncGroup(
  broker: BrokerContext,
  request: SyncGroupRequest,
  context: RequestContext,
): Handling<SyncGroupResponseInput> {
  const { protocolType, protocolName } = request;
  if (
    context.version >= FIRST_VERSION_WITH_PROTOCOL &&
    (protocolType === null || protocolName === null)
  )
    return { response: responseOf(refusedSync(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)) };
  const access = broker.groups.access;
  if (access.tag === "refused") return { response: responseOf(refusedSync(access.errorCode)) };
  const answer = access.groups.sync(
    request.groupId,
    {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationId,
      protocolType,
      protocolName,
      // The request's bytes are the connection's.
      assignments: new Map(
        request.assignments.map(({ memberId, assignment }) => [memberId, copyOf(assignment)]),
      ),
    },
    context.onClosed,
  );
  return { response: answer.then(responseOf) };
}

function responseOf(answer: SyncAnswer): SyncGroupResponseInput {
  return {
    errorCode: answer.errorCode,
    protocolType: answer.protocolType ?? null,
    protocolName: answer.protocolName ?? null,
    assignment: answer.assignment,
  };
}
