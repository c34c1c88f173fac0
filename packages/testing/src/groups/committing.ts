import { ErrorCode } from "@karst/kafka-protocol";
import type { ClientConnection } from "../kafka/client-connection.ts";
import type { Dialect } from "./dialect.ts";
import { commitOffsets, commitsByName } from "./group-calls.ts";
import type { Speaker } from "./group-model.ts";
import { answered, asking, fateOf, type GroupSite } from "./group-site.ts";
import type { CommitDraft } from "./offset-book.ts";

/** Longer than the broker's limit. */
const LONG_METADATA = "too long to be taken by the broker";

/** Commits these offsets. Resolves with the error of those that could be taken; undefined: nobody knows. */
export async function commit(
  site: GroupSite,
  connection: ClientConnection,
  dialect: Dialect,
  by: {
    readonly groupId: string;
    readonly speaker: Speaker;
    readonly drafts: readonly CommitDraft[];
    /** As in `SentCommit`. */
    readonly wasRead: boolean;
    /** The first one's metadata is longer than is allowed. */
    readonly oversized: boolean;
  },
): Promise<number | undefined> {
  const { groupId, speaker, drafts, wasRead, oversized } = by;
  if (drafts.length === 0) return undefined;
  const model = site.group(groupId);
  const asked = asking(site);
  const how = { byName: commitsByName(dialect), lane: connection.number, wasRead };
  const entries = drafts.map((draft, at) => {
    const number = site.nextNumber();
    const { write } = model.commit({ ...draft, number }, how, { speaker, asking: asked });
    const tooLong = oversized && at === 0;
    return { ...draft, write, tooLong, metadata: tooLong ? LONG_METADATA : metadataOf(number) };
  });
  const answer = await commitOffsets(connection, dialect, groupId, speaker, entries);
  const { sometimes, tally } = site.world;
  if (answer.tag === "lost") {
    sometimes.add("commit-unknown");
    return undefined;
  }
  const done = answered(site, asked);
  let taken = false;
  let common: number | undefined;
  for (const [{ partition, write, tooLong }, errorCode] of answer.response) {
    tally.checked += 1;
    if (tooLong && errorCode === ErrorCode.NONE)
      throw new Error("metadata was taken that is longer than allowed");
    if (!tooLong) common ??= errorCode;
    const fate = fateOf(errorCode, "OffsetCommit", partition.topic);
    if (fate === "done") taken = true;
    write.settled(fate, done.answeredAt);
  }
  if (taken) {
    tally.acknowledged += 1;
    if (speaker.generation < 0) model.wasEmpty("a commit from outside", done);
    else model.spoke(speaker, done, "a commit");
  } else if (common !== undefined) {
    if (common === ErrorCode.UNKNOWN_MEMBER_ID || common === ErrorCode.FENCED_INSTANCE_ID)
      model.gone(speaker.memberId, done);
    sometimes.add(`commit-${nameOf(common)}`);
  }
  return common;
}

/** What a commit says of itself beside its offset. */
export function metadataOf(number: number): string {
  return `commit ${number}`;
}

/** undefined: no commit of ours says so. */
export function numberOf(metadata: string): number | undefined {
  const found = /^commit (\d+)$/.exec(metadata)?.[1];
  return found === undefined ? undefined : Number(found);
}

function nameOf(errorCode: number): string {
  const found = Object.entries(ErrorCode).find(([, code]) => code === errorCode);
  return found?.[0].toLowerCase().replaceAll("_", "-") ?? String(errorCode);
}
