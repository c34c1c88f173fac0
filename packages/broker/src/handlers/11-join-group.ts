import type { JoinGroupRequest, JoinGroupResponseInput } from "@karst/kafka-protocol";
import { copyOf } from "@karst/runtime";
import { type JoinAnswer, refusedJoin } from "../groups/group-event.ts";
import { hostOf } from "./client-host.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";

/*
 * JoinGroup, versions 0–9. Answered when the next generation is on record, which may take as long as the members' rebalance timeout;
 * later responses of the same connection wait. `reason` is not used. Not here: groups of the newer protocol (KIP-848).
 */

const FIRST_VERSION_WITH_REQUIRED_ID = 4;
const FIRST_VERSION_WITH_NULL_PROTOCOL = 7;
const FIRST_VERSION_WITH_SKIP_ASSIGNMENT = 9;

export function joinGroup(
  broker: BrokerContext,
  request: JoinGroupRequest,
  context: RequestContext,
): Handling<JoinGroupResponseInput> {
  const { version } = context;
  const { memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType } = request;
  const access = broker.groups.access;
  if (access.tag === "refused")
    return { response: responseOf(refusedJoin(memberId, access.errorCode), version) };
  const answer = access.groups.join(
    request.groupId,
    {
      memberId,
      instanceId: request.groupInstanceId,
      clientId: context.clientId ?? "",
      clientHost: hostOf(context.peer),
      sessionTimeoutMs,
      // Version 0 has none.
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocolType,
      // The request's bytes are the connection's.
      protocols: request.protocols.map(({ name, metadata }) => ({
        name,
        metadata: copyOf(metadata),
      })),
      idRequired: version >= FIRST_VERSION_WITH_REQUIRED_ID,
      canSkipAssignment: version >= FIRST_VERSION_WITH_SKIP_ASSIGNMENT,
    },
    context.onClosed,
  );
  return { response: answer.then((settled) => responseOf(settled, version)) };
}

function responseOf(answer: JoinAnswer, version: number): JoinGroupResponseInput {
  return {
    errorCode: answer.errorCode,
    generationId: answer.generation,
    protocolType: answer.protocolType ?? null,
    protocolName: answer.protocolName ?? (version >= FIRST_VERSION_WITH_NULL_PROTOCOL ? null : ""),
    leader: answer.leaderId,
    // A version that does not know it is never told to skip.
    ...(answer.skipAssignment && { skipAssignment: true }),
    memberId: answer.memberId,
    members: answer.members.map(({ memberId, instanceId, metadata }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata,
    })),
  };
}
