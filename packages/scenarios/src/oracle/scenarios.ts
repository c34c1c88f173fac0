import type { Scenario } from "./scenario.ts";
import { produce } from "./scenarios/00-produce.ts";
import { fetch } from "./scenarios/01-fetch.ts";
import { listOffsets } from "./scenarios/02-list-offsets.ts";
import { metadata } from "./scenarios/03-metadata.ts";
import { offsetCommit } from "./scenarios/08-offset-commit.ts";
import { offsetFetch } from "./scenarios/09-offset-fetch.ts";
import { findCoordinator } from "./scenarios/10-find-coordinator.ts";
import { joinGroup } from "./scenarios/11-join-group.ts";
import { heartbeat } from "./scenarios/12-heartbeat.ts";
import { leaveGroup } from "./scenarios/13-leave-group.ts";
import { syncGroup } from "./scenarios/14-sync-group.ts";
import { describeGroups } from "./scenarios/15-describe-groups.ts";
import { listGroups } from "./scenarios/16-list-groups.ts";
import { apiVersions } from "./scenarios/18-api-versions.ts";
import { createTopics } from "./scenarios/19-create-topics.ts";
import { deleteTopics } from "./scenarios/20-delete-topics.ts";
import { initProducerId } from "./scenarios/22-init-producer-id.ts";
import { offsetForLeaderEpoch } from "./scenarios/23-offset-for-leader-epoch.ts";
import { describeConfigs } from "./scenarios/32-describe-configs.ts";
import { deleteGroups } from "./scenarios/42-delete-groups.ts";
import { offsetDelete } from "./scenarios/47-offset-delete.ts";
import { describeCluster } from "./scenarios/60-describe-cluster.ts";

/**
 * One per API; those whose key we do not advertise wait for it. Metadata first, and ListGroups first of those that make groups: later
 * ones leave topics and groups behind.
 */
export const SCENARIOS: readonly Scenario[] = [
  metadata,
  apiVersions,
  createTopics,
  deleteTopics,
  describeConfigs,
  describeCluster,
  initProducerId,
  produce,
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  listGroups,
  findCoordinator,
  joinGroup,
  syncGroup,
  heartbeat,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  offsetDelete,
  describeGroups,
  deleteGroups,
];
