import type { DeleteGroupsRequest, DeleteGroupsResponseInput } from "@karst/kafka-protocol";
import type { BrokerContext, Handling } from "./handler.ts";

/*
 * DeleteGroups, versions 0–2. A group is deleted with what it has committed; answered when that is on record. One that is named twice is
 * answered once.
 */

export function deleteGroups(
  broker: BrokerContext,
  request: DeleteGroupsRequest,
): Handling<DeleteGroupsResponseInput> {
  const deleting = [...new Set(request.groupsNames)].map(async (groupId) => ({
    groupId,
    errorCode: await deleteOne(broker, groupId),
  }));
  return { response: Promise.all(deleting).then((results) => ({ results })) };
}

async function deleteOne(broker: BrokerContext, groupId: string): Promise<number> {
  const access = broker.groups.access;
  return access.tag === "refused" ? access.errorCode : await access.groups.delete(groupId);
}
