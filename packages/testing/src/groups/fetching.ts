import { ErrorCode } from "@karst/kafka-protocol";
import type { ClientConnection } from "../kafka/client-connection.ts";
import { isUnknownTopic } from "../kafka/site.ts";
import type { PartitionModel, TopicModel } from "../kafka/topic-model.ts";
import { numberOf } from "./committing.ts";
import type { Dialect } from "./dialect.ts";
import { canFetchAll, fetchesByName, fetchOffsets, type ToldOffset } from "./group-calls.ts";
import { answered, asking, type GroupSite, isPassing } from "./group-site.ts";
import type { CommittedOffset } from "./offset-book.ts";

/**
 * Asks what is committed for these partitions, or for all, and compares it with what is known.
 *
 * @returns of partitions whose topic was there all the time, what is committed for them: undefined for nothing. undefined: it was not told.
 */
export async function fetchCommitted(
  site: GroupSite,
  connection: ClientConnection,
  dialect: Dialect,
  groupId: string,
  partitions: readonly PartitionModel[] | undefined,
): Promise<ReadonlyMap<PartitionModel, CommittedOffset | undefined> | undefined> {
  const before = site.topics.filter(({ isLive }) => isLive);
  const gone = new Set(site.topics.filter(({ state }) => state === "gone"));
  const everything = before.flatMap((topic) => topic.partitions);
  const asked = asking(site);
  const answer = await fetchOffsets(
    connection,
    dialect,
    groupId,
    partitions ?? (canFetchAll(dialect) ? undefined : everything),
  );
  if (answer.tag === "lost") return undefined;
  const { errorCode, offsets } = answer.response;
  const refusal = [errorCode, ...offsets.map((one) => one.errorCode)].find(
    (code) => code !== ErrorCode.NONE && !isUnknownTopic(code),
  );
  if (refusal !== undefined) {
    if (!isPassing(refusal)) throw new Error(`OffsetFetch: error ${refusal}`);
    return undefined;
  }
  const done = answered(site, asked);
  const told = new Map<PartitionModel, CommittedOffset>();
  for (const one of offsets) {
    if (one.offset < 0) continue;
    const topic = topicOf(site.topics, one, fetchesByName(dialect));
    const stays = topic?.isLive === true && before.includes(topic);
    const partition = topic?.partitions[one.index];
    site.world.invariants.check(
      "P6",
      topic === undefined
        ? site.topics.some(({ state }) => state === "making")
        : !gone.has(topic) && (partition !== undefined || !stays),
      () => `${groupId} is told an offset of ${one.name}${one.topicId}/${one.index}, which is gone`,
    );
    const number = numberOf(one.metadata);
    if (number === undefined)
      throw new Error(`offset ${one.offset} has the metadata "${one.metadata}"`);
    if (partition !== undefined) told.set(partition, { number, offset: one.offset });
  }
  const found = new Map<PartitionModel, CommittedOffset | undefined>();
  for (const partition of partitions ?? everything) {
    const { topic } = partition;
    if (!topic.isLive || !before.includes(topic)) continue;
    found.set(partition, told.get(partition));
    site.group(groupId).offsets.fetched(partition, told.get(partition), done);
  }
  return found;
}

/** By its name it is the last one of that name, whatever has become of it. */
function topicOf(
  topics: readonly TopicModel[],
  { name, topicId }: ToldOffset,
  byName: boolean,
): TopicModel | undefined {
  return topics.findLast((one) => (byName ? one.name === name : one.topicId === topicId));
}
