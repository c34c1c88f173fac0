import { ErrorCode } from "@karst/kafka-protocol";
import type { Site } from "../kafka/site.ts";
import { isUnknownTopic } from "../kafka/site.ts";
import type { TopicModel } from "../kafka/topic-model.ts";
import type { GroupModel } from "./group-model.ts";
import type { Asked, Asking } from "./membership.ts";
import type { Fate } from "./pending-write.ts";

/** What clients of groups have around them. */
export interface GroupSite extends Site {
  group(groupId: string): GroupModel;
  /** All that there ever were, the present one of a name last. */
  readonly topics: readonly TopicModel[];
  /** The next moment. */
  now(): number;
  /** A number that nobody had before: for offsets, and drafts of assignments. */
  nextNumber(): number;
  /** Member ids that were given out. */
  readonly givenIds: Set<string>;
}

export function asking(site: Pick<GroupSite, "world" | "now">): Asking {
  return { sentAt: site.now(), sentMs: site.world.clock.monotonicMs() };
}

export function answered(site: Pick<GroupSite, "world" | "now">, asked: Asking): Asked {
  return { ...asked, answeredAt: site.now(), answeredMs: site.world.clock.monotonicMs() };
}

/** The coordinator is not there, or not yet: what was asked certainly did not happen. */
const NOT_YET: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
]);

const REFUSALS: ReadonlySet<number> = new Set([
  ...NOT_YET,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.NON_EMPTY_GROUP,
  ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
  ErrorCode.GROUP_MAX_SIZE_REACHED,
  ErrorCode.OFFSET_METADATA_TOO_LARGE,
]);

/** Asked again later, this will do. */
export function isPassing(errorCode: number): boolean {
  return NOT_YET.has(errorCode) || errorCode === ErrorCode.NOT_COORDINATOR;
}

/** @param topic that it is about, if it is about one. @throws Error where nobody should be told this. */
export function fateOf(errorCode: number, what: string, topic?: TopicModel): Fate {
  if (errorCode === ErrorCode.NONE) return "done";
  if (REFUSALS.has(errorCode)) return "refused";
  if (errorCode === ErrorCode.NOT_COORDINATOR) return "unknown";
  if (isUnknownTopic(errorCode) && topic?.isLive === false) return "refused";
  throw new Error(`${what}: error ${errorCode}`);
}
