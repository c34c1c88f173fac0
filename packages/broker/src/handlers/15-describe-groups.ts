import {
  type DescribeGroupsRequest,
  type DescribeGroupsResponseInput,
  ErrorCode,
} from "@karst/kafka-protocol";
import { type Group, metadataOf, NO_BYTES } from "../groups/group.ts";
import { GROUP_OPERATIONS } from "./authorized-operations.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";

/*
 * DescribeGroups, versions 0–6. Metadata is shown of stable groups alone, as Kafka does; an assignment until its generation is over.
 */

const FIRST_VERSION_WITH_UNKNOWN_GROUPS = 6;

type Described = DescribeGroupsResponseInput["groups"][number];

export function describeGroups(
  broker: BrokerContext,
  request: DescribeGroupsRequest,
  context: RequestContext,
): Handling<DescribeGroupsResponseInput> {
  const describing = request.groups.map((groupId) => describe(broker, groupId, context.version));
  const response = Promise.all(describing).then((groups) => ({
    groups: request.includeAuthorizedOperations ? groups.map(withOperations) : groups,
  }));
  return { response };
}

async function describe(
  broker: BrokerContext,
  groupId: string,
  version: number,
): Promise<Described> {
  const access = broker.groups.access;
  if (access.tag === "refused") return nothing(groupId, access.errorCode, "");
  const group = access.groups.get(groupId)?.group;
  try {
    await access.groups.durableOf(groupId);
  } catch {
    return nothing(groupId, ErrorCode.NOT_COORDINATOR, "");
  }
  if (group !== undefined) return described(group);
  if (version < FIRST_VERSION_WITH_UNKNOWN_GROUPS) return nothing(groupId, ErrorCode.NONE, "Dead");
  const errorMessage = `Group ${groupId} not found.`;
  return { ...nothing(groupId, ErrorCode.GROUP_ID_NOT_FOUND, "Dead"), errorMessage };
}

/** A group of which nothing can be said is nobody's to do anything with. */
function withOperations(group: Described): Described {
  if (group.errorCode !== ErrorCode.NONE) return group;
  return { ...group, authorizedOperations: GROUP_OPERATIONS };
}

function nothing(groupId: string, errorCode: number, groupState: string): Described {
  return { errorCode, groupId, groupState, protocolType: "", protocolData: "", members: [] };
}

function described(group: Group): Described {
  const stable = group.phase === "Stable";
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.phase,
    protocolType: group.protocolType,
    protocolData: stable ? (group.protocolName ?? "") : "",
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? metadataOf(member, group.protocolName) : NO_BYTES,
      memberAssignment: member.assignment,
    })),
  };
}
