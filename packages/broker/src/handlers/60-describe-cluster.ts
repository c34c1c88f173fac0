import {
  type DescribeClusterRequest,
  type DescribeClusterResponseInput,
  ErrorCode,
} from "@karst/kafka-protocol";
import { CLUSTER_OPERATIONS } from "./authorized-operations.ts";
import { type BrokerContext, type Handling, NODE_ID, type RequestContext } from "./handler.ts";

/*
 * DescribeCluster, versions 0–2: one broker, which is the controller. Not here: the endpoints of controllers (there is no quorum of them).
 */

const BROKERS = 1;
const CONTROLLERS = 2;

export function describeCluster(
  broker: BrokerContext,
  { endpointType, includeClusterAuthorizedOperations }: DescribeClusterRequest,
  { version }: RequestContext,
): Handling<DescribeClusterResponseInput> {
  // What a Kafka broker says to either.
  if (endpointType === CONTROLLERS)
    return refused(ErrorCode.MISMATCHED_ENDPOINT_TYPE, "this is the endpoint of a broker");
  if (endpointType !== BROKERS)
    return refused(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `no endpoint type ${endpointType}`);
  const { host, port } = broker.advertised;
  return {
    response: {
      errorCode: ErrorCode.NONE,
      ...(version > 0 && { endpointType }),
      clusterId: broker.clusterId,
      controllerId: NODE_ID,
      brokers: [{ brokerId: NODE_ID, host, port }],
      ...(includeClusterAuthorizedOperations && {
        clusterAuthorizedOperations: CLUSTER_OPERATIONS,
      }),
    },
  };
}

function refused(
  errorCode: number,
  errorMessage: string,
): { readonly response: DescribeClusterResponseInput } {
  return { response: { errorCode, errorMessage, clusterId: "", brokers: [] } };
}
