export {
  type AnyApi,
  type Api,
  type ApiSpec,
  defineApi,
  type RequestHeaderVersion,
  type RequestInput,
  type RequestOf,
  type ResponseHeaderVersion,
  type ResponseInput,
  type ResponseOf,
} from "./api.ts";
export { apis } from "./apis.ts";
export { type DecodeOptions, type Head, MessageCodec } from "./codec/message-codec.ts";
export {
  describeErrorCode,
  ErrorCode,
  type ErrorDescription,
  type ErrorName,
} from "./error-code.ts";
export { KAFKA_PROTOCOL_ERRORS, protocolError } from "./errors.ts";
export { encodeUnsupportedApiVersions, isClientSoftware } from "./frame/api-versions.ts";
export {
  type Frame,
  FrameAssembler,
  type FrameAssemblerOptions,
  REQUEST_FRAME_BYTES_MIN,
  RESPONSE_FRAME_BYTES_MIN,
} from "./frame/frame-assembler.ts";
export {
  decodeRequestHeader,
  encodeRequest,
  openRequest,
  type RequestFrame,
  type RequestHeader,
  type RequestPrefix,
} from "./frame/request.ts";
export { decodeResponseHeader, encodeResponse } from "./frame/response.ts";
export {
  COPIED_RECORDS_BYTES_MAX,
  ELEMENTS_MAX,
  FRAME_BYTES_MAX,
  FRAME_GROWTH,
  FRAME_STEP_BYTES,
  STRING_BYTES_MAX,
  UNTRUSTED_FRAME_BYTES_MAX,
} from "./limits.ts";
export {
  produceApi,
  type ProduceRequest,
  type ProduceRequestInput,
  type ProduceResponse,
  type ProduceResponseInput,
} from "./messages/00-produce.ts";
export {
  fetchApi,
  type FetchRequest,
  type FetchRequestInput,
  type FetchResponse,
  type FetchResponseInput,
} from "./messages/01-fetch.ts";
export {
  listOffsetsApi,
  type ListOffsetsRequest,
  type ListOffsetsRequestInput,
  type ListOffsetsResponse,
  type ListOffsetsResponseInput,
} from "./messages/02-list-offsets.ts";
export {
  metadataApi,
  type MetadataRequest,
  type MetadataRequestInput,
  type MetadataResponse,
  type MetadataResponseInput,
} from "./messages/03-metadata.ts";
export {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitRequestInput,
  type OffsetCommitResponse,
  type OffsetCommitResponseInput,
} from "./messages/08-offset-commit.ts";
export {
  offsetFetchApi,
  type OffsetFetchRequest,
  type OffsetFetchRequestInput,
  type OffsetFetchResponse,
  type OffsetFetchResponseInput,
} from "./messages/09-offset-fetch.ts";
export {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorRequestInput,
  type FindCoordinatorResponse,
  type FindCoordinatorResponseInput,
} from "./messages/10-find-coordinator.ts";
export {
  joinGroupApi,
  type JoinGroupRequest,
  type JoinGroupRequestInput,
  type JoinGroupResponse,
  type JoinGroupResponseInput,
} from "./messages/11-join-group.ts";
export {
  heartbeatApi,
  type HeartbeatRequest,
  type HeartbeatRequestInput,
  type HeartbeatResponse,
  type HeartbeatResponseInput,
} from "./messages/12-heartbeat.ts";
export {
  leaveGroupApi,
  type LeaveGroupRequest,
  type LeaveGroupRequestInput,
  type LeaveGroupResponse,
  type LeaveGroupResponseInput,
} from "./messages/13-leave-group.ts";
export {
  syncGroupApi,
  type SyncGroupRequest,
  type SyncGroupRequestInput,
  type SyncGroupResponse,
  type SyncGroupResponseInput,
} from "./messages/14-sync-group.ts";
export {
  describeGroupsApi,
  type DescribeGroupsRequest,
  type DescribeGroupsRequestInput,
  type DescribeGroupsResponse,
  type DescribeGroupsResponseInput,
} from "./messages/15-describe-groups.ts";
export {
  listGroupsApi,
  type ListGroupsRequest,
  type ListGroupsRequestInput,
  type ListGroupsResponse,
  type ListGroupsResponseInput,
} from "./messages/16-list-groups.ts";
export {
  apiVersionsApi,
  type ApiVersionsRequest,
  type ApiVersionsRequestInput,
  type ApiVersionsResponse,
  type ApiVersionsResponseInput,
} from "./messages/18-api-versions.ts";
export {
  createTopicsApi,
  type CreateTopicsRequest,
  type CreateTopicsRequestInput,
  type CreateTopicsResponse,
  type CreateTopicsResponseInput,
} from "./messages/19-create-topics.ts";
export {
  deleteTopicsApi,
  type DeleteTopicsRequest,
  type DeleteTopicsRequestInput,
  type DeleteTopicsResponse,
  type DeleteTopicsResponseInput,
} from "./messages/20-delete-topics.ts";
export {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdRequestInput,
  type InitProducerIdResponse,
  type InitProducerIdResponseInput,
} from "./messages/22-init-producer-id.ts";
export {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochRequestInput,
  type OffsetForLeaderEpochResponse,
  type OffsetForLeaderEpochResponseInput,
} from "./messages/23-offset-for-leader-epoch.ts";
export {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsRequestInput,
  type DescribeConfigsResponse,
  type DescribeConfigsResponseInput,
} from "./messages/32-describe-configs.ts";
export {
  deleteGroupsApi,
  type DeleteGroupsRequest,
  type DeleteGroupsRequestInput,
  type DeleteGroupsResponse,
  type DeleteGroupsResponseInput,
} from "./messages/42-delete-groups.ts";
export {
  offsetDeleteApi,
  type OffsetDeleteRequest,
  type OffsetDeleteRequestInput,
  type OffsetDeleteResponse,
  type OffsetDeleteResponseInput,
} from "./messages/47-offset-delete.ts";
export {
  describeClusterApi,
  type DescribeClusterRequest,
  type DescribeClusterRequestInput,
  type DescribeClusterResponse,
  type DescribeClusterResponseInput,
} from "./messages/60-describe-cluster.ts";
export type {
  ArrayField,
  Field,
  Fields,
  PrimitiveField,
  PrimitiveName,
  Primitives,
  StructField,
  Versions,
} from "./schema/field.ts";
export type { InputOf, MessageOf } from "./schema/message.ts";
export type { VersionRange } from "./schema/versions.ts";
export { isUuid, uuidFromBase64, uuidToBase64, ZERO_UUID } from "./uuid.ts";
