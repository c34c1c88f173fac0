export { bucketLife, type BucketLifeOptions } from "./bucket-life.ts";
export type { Client } from "./clients/client.ts";
export { codecStory } from "./clients/codec-story.ts";
export { groupStory } from "./clients/group-story.ts";
export { FIRST_ROWS } from "./clients/matrix.ts";
export { CallFault, type CallFaultOptions, canInject } from "./call-fault.ts";
export { type Row, vegaRows } from "./dataset.ts";
export {
  committedOffsets,
  GROUP_PARTITIONS,
  groupRun,
  type GroupRunResult,
  until,
} from "./groups/group-run.ts";
export { GroupWriter } from "./groups/group-writer.ts";
export { kafkajsMember } from "./groups/kafkajs-member.ts";
export { KcatMember } from "./groups/kcat-member.ts";
export { platformaticMember } from "./groups/platformatic-member.ts";
export type { KillRunResult } from "./kill-run.ts";
export { type EmbeddedReading, readEmbedded } from "./embedded-reading.ts";
export { errorNameOf, Ledger } from "./ledger.ts";
export { hasBucket, type OpenBucket, openBucket } from "./matrix/bucket.ts";
export { killMatrix, nameOf } from "./matrix/combinations.ts";
export { runMatrix } from "./matrix/matrix-run.ts";
export type { Mutant } from "./mutants.ts";
export { hasKcat, readByKcat } from "./readers.ts";
export { type Refusal, refusedServe } from "./refusal.ts";
export { cutRun, embeddedRun, kafkaRun } from "./runs.ts";
export { Seeded } from "./seeded.ts";
export { freePort, Server, type ServerOptions } from "./server.ts";
export { canMount, SmallDisk } from "./small-disk.ts";
export { SessionReader } from "./session-reader.ts";
export { type Tree, treeOf } from "./tree.ts";
export type { ReadRow } from "./verify.ts";
export { createTopics } from "./writers/kafkajs.ts";
export { MemberBook } from "./churn/member-book.ts";
export { MemberProcess } from "./churn/member-process.ts";
export { REBALANCE_MS, SESSION_MS } from "./churn/times.ts";
export { EmbeddedHost } from "./writers/embedded.ts";
