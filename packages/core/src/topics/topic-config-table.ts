/** What a configuration's text must be. Numbers are decimal integers; `long` has 64 bits. */
export type TopicConfigKind =
  | { readonly tag: "boolean" }
  | { readonly tag: "choice"; readonly of: readonly string[] }
  | { readonly tag: "list"; readonly of: readonly string[] | "anything" }
  | { readonly tag: "int" | "long"; readonly min: number }
  | { readonly tag: "double"; readonly min: number; readonly max: number };

export interface TopicConfigDefinition {
  readonly default: string;
  readonly kind: TopicConfigKind;
  /** Values that Kafka knows and this engine cannot honour. */
  readonly unsupported?: readonly string[];
}

const BOOLEAN = { tag: "boolean" } as const;
const LONG_MAX = "9223372036854775807";

const long = (min: number): TopicConfigKind => ({ tag: "long", min });
const int = (min: number): TopicConfigKind => ({ tag: "int", min });
const choice = (...of: readonly string[]): TopicConfigKind => ({ tag: "choice", of });

/** Every topic configuration of Kafka 4.2 with its default. Source: LogConfig, TopicConfig. */
export const TOPIC_CONFIGS: Readonly<Record<string, TopicConfigDefinition>> = {
  "cleanup.policy": { default: "delete", kind: { tag: "list", of: ["delete", "compact"] } },
  "compression.gzip.level": { default: "-1", kind: int(-1) },
  "compression.lz4.level": { default: "9", kind: int(1) },
  "compression.type": {
    default: "producer",
    kind: choice("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
  },
  "compression.zstd.level": { default: "3", kind: int(-131_072) },
  "delete.retention.ms": { default: "86400000", kind: long(0) },
  "file.delete.delay.ms": { default: "60000", kind: long(0) },
  "flush.messages": { default: LONG_MAX, kind: long(1) },
  "flush.ms": { default: LONG_MAX, kind: long(0) },
  "follower.replication.throttled.replicas": { default: "", kind: { tag: "list", of: "anything" } },
  "index.interval.bytes": { default: "4096", kind: int(0) },
  "leader.replication.throttled.replicas": { default: "", kind: { tag: "list", of: "anything" } },
  "local.retention.bytes": { default: "-2", kind: long(-2) },
  "local.retention.ms": { default: "-2", kind: long(-2) },
  "max.compaction.lag.ms": { default: LONG_MAX, kind: long(1) },
  "max.message.bytes": { default: "1048588", kind: int(0) },
  "message.timestamp.after.max.ms": { default: "3600000", kind: long(0) },
  "message.timestamp.before.max.ms": { default: LONG_MAX, kind: long(0) },
  "message.timestamp.type": { default: "CreateTime", kind: choice("CreateTime", "LogAppendTime") },
  "min.cleanable.dirty.ratio": { default: "0.5", kind: { tag: "double", min: 0, max: 1 } },
  "min.compaction.lag.ms": { default: "0", kind: long(0) },
  "min.insync.replicas": { default: "1", kind: int(1) },
  preallocate: { default: "false", kind: BOOLEAN },
  "remote.log.copy.disable": { default: "false", kind: BOOLEAN },
  "remote.log.delete.on.disable": { default: "false", kind: BOOLEAN },
  "remote.storage.enable": { default: "false", kind: BOOLEAN, unsupported: ["true"] },
  "retention.bytes": { default: "-1", kind: long(-1) },
  "retention.ms": { default: "604800000", kind: long(-1) },
  "segment.bytes": { default: "1073741824", kind: int(1) },
  "segment.index.bytes": { default: "10485760", kind: int(4) },
  "segment.jitter.ms": { default: "0", kind: long(0) },
  "segment.ms": { default: "604800000", kind: long(1) },
  "unclean.leader.election.enable": { default: "false", kind: BOOLEAN },
};
