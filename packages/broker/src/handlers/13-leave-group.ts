import {
  ErrorCode,
  type LeaveGroupRequest,
  type LeaveGroupResponseInput,
} from "@karst/kafka-protocol";
import type { LiveGroups } from "../groups/live-groups.ts";
import type { BrokerContext, Handling, RequestContext } from "./handler.ts";

/*
 * LeaveGroup, versions 0–5. Answered when it is on record who is gone. Since version 3 a group that does not exist is one that lacks these
 * members. `reason` is not used.
 */

const FIRST_VERSION_WITH_MEMBERS = 3;

export function leaveGroup(
  broker: BrokerContext,
  request: LeaveGroupRequest,
  context: RequestContext,
): Handling<LeaveGroupResponseInput> {
  const access = broker.groups.access;
  if (access.tag === "refused") return { response: { errorCode: access.errorCode, members: [] } };
  const { groups } = access;
  const several = context.version >= FIRST_VERSION_WITH_MEMBERS;
  const response = several ? leaveSeveral(groups, request) : leaveOne(groups, request);
  return { response };
}

async function leaveOne(
  groups: LiveGroups,
  { groupId, memberId }: LeaveGroupRequest,
): Promise<LeaveGroupResponseInput> {
  return { errorCode: await groups.leave(groupId, { memberId, instanceId: null }) };
}

async function leaveSeveral(
  groups: LiveGroups,
  { groupId, members }: LeaveGroupRequest,
): Promise<LeaveGroupResponseInput> {
  if (groupId === "") return { errorCode: ErrorCode.INVALID_GROUP_ID, members: [] };
  const leaving = members.map(async ({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: await groups.leave(groupId, { memberId, instanceId: groupInstanceId }),
  }));
  return { errorCode: ErrorCode.NONE, members: await Promise.all(leaving) };
}
