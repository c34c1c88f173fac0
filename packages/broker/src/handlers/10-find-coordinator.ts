import {
  ErrorCode,
  type FindCoordinatorRequest,
  type FindCoordinatorResponseInput,
} from "@karst/kafka-protocol";
import { type BrokerContext, type Handling, NODE_ID, type RequestContext } from "./handler.ts";

/*
 * FindCoordinator, versions 0–6, for groups: this node has all of them. The first request of a root's life makes the stream that holds
 * them, and waits for it. Not here: transactional ids and share groups, which are refused with INVALID_REQUEST.
 */

const FIRST_VERSION_WITH_KEYS = 4;
const GROUP = 0;

interface Found {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export function findCoordinator(
  broker: BrokerContext,
  request: FindCoordinatorRequest,
  context: RequestContext,
): Handling<FindCoordinatorResponseInput> {
  const several = context.version >= FIRST_VERSION_WITH_KEYS;
  const respond = (found: Found): FindCoordinatorResponseInput =>
    several
      ? { coordinators: request.coordinatorKeys.map((key) => ({ key, ...found })) }
      : { ...found };
  if (request.keyType !== GROUP)
    return {
      response: respond(nobody(ErrorCode.INVALID_REQUEST, "only groups have a coordinator")),
    };
  return {
    response: broker.groups.find().then((access) => {
      if (access.tag === "refused" && access.errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        return respond(nobody(ErrorCode.COORDINATOR_NOT_AVAILABLE, "the coordinator has ended"));
      // It is this node also while it loads: its answers say so.
      const { host, port } = broker.advertised;
      return respond({
        nodeId: NODE_ID,
        host,
        port,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
      });
    }),
  };
}

function nobody(errorCode: number, errorMessage: string): Found {
  return { nodeId: -1, host: "", port: -1, errorCode, errorMessage };
}
