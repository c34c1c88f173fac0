import {
  ErrorCode,
  type ListGroupsRequest,
  type ListGroupsResponseInput,
} from "@karst/kafka-protocol";
import type { BrokerContext, Handling } from "./handler.ts";

/*
 * ListGroups, versions 0–5. All groups are classic ones. Filters do not mind upper and lower case.
 */

const GROUP_TYPE = "classic";

export function listGroups(
  broker: BrokerContext,
  request: ListGroupsRequest,
): Handling<ListGroupsResponseInput> {
  return { response: list(broker, request) };
}

async function list(
  broker: BrokerContext,
  { statesFilter, typesFilter }: ListGroupsRequest,
): Promise<ListGroupsResponseInput> {
  const access = broker.groups.access;
  if (access.tag === "refused") return { errorCode: access.errorCode, groups: [] };
  const passes = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some((one) => one.toLowerCase() === value.toLowerCase());
  const groups = [...access.groups.entries]
    .map(({ group }) => group)
    .filter(({ phase }) => passes(statesFilter, phase) && passes(typesFilter, GROUP_TYPE))
    .map(({ groupId, protocolType, phase }) => ({
      groupId,
      protocolType,
      groupState: phase,
      groupType: GROUP_TYPE,
    }));
  try {
    await access.groups.durable;
  } catch {
    return { errorCode: ErrorCode.NOT_COORDINATOR, groups: [] };
  }
  return { errorCode: ErrorCode.NONE, groups };
}
