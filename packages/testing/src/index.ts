export { type DiskHash, hashOf } from "./world/disk-hash.ts";
export {
  type InvariantId,
  INVARIANTS,
  Invariants,
  InvariantViolation,
} from "./world/invariants.ts";
export { Life, MortalClock, mortalStore } from "./world/life.ts";
export { type Ending, Machine, type Surroundings } from "./world/machine.ts";
export type { Outcome } from "./world/outcome.ts";
export { Sometimes } from "./world/sometimes.ts";
export { WalWatch } from "./world/wal-watch.ts";
export { type Tally, World, type WorldOptions } from "./world/world.ts";
export type { Family, SeedResult } from "./family.ts";
export { shrink } from "./shrink.ts";
export { logFamily, steadyFamily } from "./log/families.ts";
export { chance, pick, pickWeighted } from "./world/draw.ts";
export {
  type AppendOperation,
  type AppendOutcome,
  EMPTY_LOG,
  type InitialLog,
  type LogOperation,
  type ReadOperation,
  type ReadOutcome,
  type SeenBatch,
  type TailOperation,
  type TrimOperation,
} from "./checkers/history.ts";
export { LOG_ANOMALIES, type LogAnomaly, type LogVerdict } from "./checkers/log-anomaly.ts";
export { checkLog } from "./checkers/log-linearizability.ts";
export { LogRecorder } from "./checkers/log-recorder.ts";
export { searchLog } from "./checkers/wing-gong.ts";
export { checkKafka } from "./checkers/kafka-anomalies.ts";
export { KAFKA_ANOMALIES, type KafkaAnomaly, type KafkaVerdict } from "./checkers/kafka-history.ts";
export { auditSequences, sequencedBatch } from "./checkers/sequence-audit.ts";
export { walFamily } from "./wal/family.ts";
export { WAL_LABELS } from "./wal/labels.ts";
export { walSeed } from "./wal/wal-seed.ts";
export { clusterFamily } from "./cluster/family.ts";
export {
  crashAt,
  type CrashPoint,
  enumerate,
  type Enumeration,
  type EnumerateOptions,
  pointsOf,
} from "./crash-points/enumerate.ts";
export type { CrashJob } from "./crash-points/job.ts";
export { crashPointJobs, jobNamed } from "./crash-points/jobs.ts";
export { kafkaFamily } from "./kafka/family.ts";
export { groupsFamily } from "./groups/family.ts";
