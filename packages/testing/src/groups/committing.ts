import { ErrorCode } from "@karst/kafka-protocol";
import type { ClientConnection } from "../kafka/client-connection.ts";
import type { Dialect } from "./dialect.ts";
import { commitOffsets, fetchOffsets } from "./group-calls.ts";
import { settle, type Speaker } from "./group-model.ts";
import { answered, asking, fateOf, type GroupSite, isPassing } from "./group-site.ts";
import { TOPIC } from "./limits.ts";

/** Longer than the broker's limit. */
const LONG_METADATA = "too long to be taken by the broker";

/** Commits one new offset for these partitions. Resolves with the error of those that could be taken; undefined: nobody knows. */
export async function commit(
  site: GroupSite,
  connection: ClientConnection,
  dialect: Dialect,
  by: {
    readonly groupId: string;
    readonly speaker: Speaker;
    readonly partitions: readonly number[];
    /** Of the partitions, one whose metadata is longer than is allowed. */
    readonly oversized: number | undefined;
  },
): Promise<number | undefined> {
  const { groupId, speaker, partitions, oversized } = by;
  const topic = site.topic(TOPIC);
  if (topic === undefined || partitions.length === 0) return undefined;
  const model = site.group(groupId);
  const offset = site.nextNumber();
  const asked = asking(site);
  const writes = model.commit(partitions, offset, speaker, asked);
  const answer = await commitOffsets(connection, dialect, groupId, speaker, {
    topic,
    partitions,
    offset,
    metadata: (partition) => (partition === oversized ? LONG_METADATA : metadataOf(offset)),
  });
  const { sometimes, tally } = site.world;
  if (answer.tag === "lost") {
    sometimes.add("commit-unknown");
    return undefined;
  }
  const done = answered(site, asked);
  let taken = false;
  let common: number | undefined;
  for (const [at, errorCode] of answer.response.entries()) {
    const write = writes[at];
    if (write === undefined) continue;
    tally.checked += 1;
    const tooLong = partitions[at] === oversized;
    if (tooLong && errorCode === ErrorCode.NONE)
      throw new Error("metadata was taken that is longer than allowed");
    if (!tooLong) common ??= errorCode;
    const fate = fateOf(errorCode, "OffsetCommit");
    if (fate === "done") taken = true;
    settle(write, fate, done.answeredAt);
  }
  if (taken) {
    tally.acknowledged += 1;
    if (speaker.generation < 0) model.wasEmpty("a commit from outside", done);
    else model.spoke(speaker, done, "a commit");
  } else if (common !== undefined) {
    sometimes.add(`commit-${nameOf(common)}`);
  }
  return common;
}

/** Reads what is committed for these partitions, or for all. Resolves with whether that was told. */
export async function fetch(
  site: GroupSite,
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
  partitions: readonly number[] | undefined,
): Promise<boolean> {
  const topic = site.topic(TOPIC);
  if (topic === undefined) return false;
  const model = site.group(groupId);
  const asked = asking(site);
  const answer = await fetchOffsets(connection, dialect, groupId, topic, partitions);
  if (answer.tag === "lost") return false;
  const { errorCode, offsets } = answer.response;
  if (errorCode !== ErrorCode.NONE) {
    if (!isPassing(errorCode)) throw new Error(`OffsetFetch: error ${errorCode}`);
    return false;
  }
  const done = answered(site, asked);
  for (const partition of partitions ?? topic.partitions.keys()) {
    const found = offsets.get(partition);
    if (found !== undefined && found.metadata !== metadataOf(found.offset))
      throw new Error(`offset ${found.offset} has the metadata "${found.metadata}"`);
    model.fetched(partition, found?.offset, done);
  }
  return true;
}

function metadataOf(offset: number): string {
  return `of ${offset}`;
}

function nameOf(errorCode: number): string {
  const found = Object.entries(ErrorCode).find(([, code]) => code === errorCode);
  return found?.[0].toLowerCase().replaceAll("_", "-") ?? String(errorCode);
}
