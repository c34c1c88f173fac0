import type { AnyApi } from "./api.ts";
import { produceApi } from "./messages/00-produce.ts";
import { fetchApi } from "./messages/01-fetch.ts";
import { listOffsetsApi } from "./messages/02-list-offsets.ts";
import { metadataApi } from "./messages/03-metadata.ts";
import { offsetCommitApi } from "./messages/08-offset-commit.ts";
import { offsetFetchApi } from "./messages/09-offset-fetch.ts";
import { findCoordinatorApi } from "./messages/10-find-coordinator.ts";
import { joinGroupApi } from "./messages/11-join-group.ts";
import { heartbeatApi } from "./messages/12-heartbeat.ts";
import { leaveGroupApi } from "./messages/13-leave-group.ts";
import { syncGroupApi } from "./messages/14-sync-group.ts";
import { describeGroupsApi } from "./messages/15-describe-groups.ts";
import { listGroupsApi } from "./messages/16-list-groups.ts";
import { apiVersionsApi } from "./messages/18-api-versions.ts";
import { createTopicsApi } from "./messages/19-create-topics.ts";
import { deleteTopicsApi } from "./messages/20-delete-topics.ts";
import { initProducerIdApi } from "./messages/22-init-producer-id.ts";
import { offsetForLeaderEpochApi } from "./messages/23-offset-for-leader-epoch.ts";
import { describeConfigsApi } from "./messages/32-describe-configs.ts";
import { deleteGroupsApi } from "./messages/42-delete-groups.ts";
import { offsetDeleteApi } from "./messages/47-offset-delete.ts";
import { describeClusterApi } from "./messages/60-describe-cluster.ts";

const all: readonly AnyApi[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  deleteGroupsApi,
  offsetDeleteApi,
  describeClusterApi,
];

/** Every API with a schema here, by its key. */
export const apis: ReadonlyMap<number, AnyApi> = new Map(all.map((api) => [api.key, api]));
