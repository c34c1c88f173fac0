import { deleteGroupsApi, leaveGroupApi, offsetCommitApi } from "@karst/kafka-protocol";
import {
  join,
  joined,
  memberIdOf,
  type JoinWish,
  type Member,
  stableGroup,
  untilRebalancing,
} from "./members.ts";
import type { Pair } from "./pair.ts";
import type { Run } from "./scenario.ts";

/** Groups that stay as they are for as long as a scenario runs, one in each phase, and their ids. */
export interface GroupPhases {
  readonly stable: Member;
  /** Its member has an instance id. */
  readonly fixed: string;
  /** Nobody has joined with the id that was given out. */
  readonly pending: string;
  readonly completing: string;
  /** For the second time: there are assignments of a generation before. */
  readonly completingAgain: string;
  /** Its first member has not joined again. */
  readonly preparing: string;
  /** All have left. */
  readonly empty: string;
  /** Has committed, and never had members. */
  readonly simple: string;
  /** Of another protocol type than consumers. */
  readonly other: string;
  readonly deleted: string;
}

const SESSION_TIMEOUT_MS = 300_000;
const LEAVE_VERSION = 2;

/**
 * One group in each phase; not counted.
 *
 * @param topic what those subscribe to, or have committed, who do.
 */
export async function groupPhases(run: Run, topic: string): Promise<GroupPhases> {
  const wish = (stem: string): JoinWish => ({
    group: run.name(stem),
    topics: [topic],
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    rebalanceTimeoutMs: SESSION_TIMEOUT_MS,
  });
  const stable = await stableGroup(run, wish("stable"));
  const fixed = await stableGroup(run, { ...wish("fixed"), instanceId: "fixed" });
  const pending = wish("pending");
  await join(run.pair, 4, "join", pending, { uncounted: true });
  const completing = await joined(run.pair, wish("completing"));
  const completingAgain = await stableGroup(run, wish("again"));
  const { group, memberId } = completingAgain;
  await join(run.pair, 4, "join", { ...wish("again"), group, memberId }, { uncounted: true });
  const preparing = await stableGroup(run, wish("preparing"));
  await abandoned(run.pair, { ...wish("preparing"), group: preparing.group });
  await untilRebalancing(run, preparing);
  const empty = await stableGroup(run, wish("empty"));
  await leave(run.pair, empty);
  const simple = run.name("simple");
  await commitSimply(run.pair, simple, topic);
  const other = await joined(run.pair, { ...wish("other"), protocolType: "connect" });
  const deleted = await stableGroup(run, wish("deleted"));
  await leave(run.pair, deleted);
  await remove(run.pair, deleted.group);
  return {
    stable,
    fixed: fixed.group,
    pending: pending.group,
    completing: completing.group,
    completingAgain: group,
    preparing: preparing.group,
    empty: empty.group,
    simple,
    other: other.group,
    deleted: deleted.group,
  };
}

/** A second member joins and waits for the first. Its connections stay open until those of `pair` are closed. */
async function abandoned(pair: Pair, wish: JoinWish): Promise<void> {
  const other = pair.another();
  const memberId = memberIdOf(await join(other, 4, "second", wish, { uncounted: true }));
  const patienceMs = SESSION_TIMEOUT_MS;
  // It never comes to an end, other than that of its connections.
  join(other, 4, "second", { ...wish, memberId }, { uncounted: true, patienceMs }).catch(
    () => undefined,
  );
}

export async function leave(pair: Pair, { group, memberId }: Member): Promise<void> {
  const { kafka, karst } = await pair.call(
    "leave",
    leaveGroupApi,
    LEAVE_VERSION,
    (at) => ({ groupId: group, memberId: at.pick(memberId) }),
    { uncounted: true },
  );
  if (kafka?.errorCode !== 0 || karst?.errorCode !== 0)
    throw new Error(`leaving ${group} failed: ${kafka?.errorCode}, ${karst?.errorCode}`);
}

/** Offsets of partitions 0 and 1, of nobody. */
export async function commitSimply(pair: Pair, groupId: string, name: string): Promise<void> {
  const partitions = [0, 1].map((partitionIndex) => ({
    partitionIndex,
    committedOffset: 1,
    committedMetadata: "",
  }));
  const { kafka, karst } = await pair.call(
    "commit",
    offsetCommitApi,
    7,
    { groupId, memberId: "", topics: [{ name, partitions }] },
    { uncounted: true },
  );
  const codes = [kafka, karst].map((answer) => answer?.topics[0]?.partitions[0]?.errorCode);
  if (codes.some((code) => code !== 0))
    throw new Error(`committing to ${groupId} failed: ${codes.join()}`);
}

async function remove(pair: Pair, groupId: string): Promise<void> {
  const wanted = { groupsNames: [groupId] };
  const { kafka, karst } = await pair.call("remove", deleteGroupsApi, 1, wanted, {
    uncounted: true,
  });
  const codes = [kafka, karst].map((answer) => answer?.results[0]?.errorCode);
  if (codes.some((code) => code !== 0))
    throw new Error(`deleting ${groupId} failed: ${codes.join()}`);
}
