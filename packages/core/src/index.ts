export type {
  Catalogue,
  CatalogueChange,
  CatalogueRow,
  CommitOutcome,
  Revision,
  Transaction,
} from "./catalogue/catalogue.ts";
export type { Engine, EngineOptions } from "./engine.ts";
export { openEngine } from "./open-engine.ts";
export { CORE_ERRORS, coreError } from "./errors.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { engineLimits } from "./engine-limits.ts";
export type {
  AppendInput,
  PendingAppend,
  ReadOptions,
  Stream,
  StreamBatch,
  StreamRead,
  StreamState,
} from "./stream/stream.ts";
export type {
  AbortedTransaction,
  Isolation,
  PartitionAppend,
  PartitionAppendOptions,
  PartitionLog,
  PartitionRead,
  PartitionReadOptions,
  TimestampedOffset,
} from "./partition/partition-log.ts";
export { openTopics } from "./topics/catalogue-topics.ts";
export {
  TOPIC_CONFIGS,
  type TopicConfigDefinition,
  type TopicConfigKind,
} from "./topics/topic-config-table.ts";
export { checkTopicName, TOPIC_NAME_LENGTH_MAX } from "./topics/topic-name.ts";
export {
  topicSettings,
  type TopicSettings,
  validateTopicConfigs,
} from "./topics/topic-settings.ts";
export type {
  CreateTopicOptions,
  ProducerIdBlock,
  Topic,
  TopicConfigs,
  Topics,
} from "./topics/topics.ts";
export { CATALOGUE_ROWS, type CatalogueRowKind, kindOfKey } from "./catalogue/keys.ts";
export { type CounterName, type CounterRow, counterRow } from "./catalogue/rows/counter-row.ts";
export { type NodeRow, nodeRow, type NodeState, type NodeWal } from "./catalogue/rows/node-row.ts";
export {
  type ObjectId,
  objectPrefix,
  type ObjectRow,
  objectRow,
} from "./catalogue/rows/object-row.ts";
export {
  type ObjectRange,
  rangeAt,
  rangesOf,
  type RangeTable,
  rangeTable,
} from "./catalogue/rows/range-table.ts";
export {
  ROOT_FEATURES,
  ROOT_FORMAT_VERSION,
  type RootRow,
  rootRow,
} from "./catalogue/rows/root-row.ts";
export type { Row, RowKind, RowSource } from "./catalogue/rows/row.ts";
export {
  type StateStreamKind,
  type StateStreamRow,
  stateStreamRow,
} from "./catalogue/rows/state-stream-row.ts";
export { type StreamEndRow, streamEndRow } from "./catalogue/rows/stream-end-row.ts";
export { type StreamOwnerRow, streamOwnerRow } from "./catalogue/rows/stream-owner-row.ts";
export { type StreamStartRow, streamStartRow } from "./catalogue/rows/stream-start-row.ts";
export { type TopicRow, topicRow } from "./catalogue/rows/topic-row.ts";
export { type CatalogueLimits, DEFAULT_CATALOGUE_LIMITS } from "./catalogue/limits.ts";
export { openCatalogue, type OpenCatalogueOptions } from "./catalogue/open-catalogue.ts";
export { DEFAULT_STATE_STREAM_LIMITS, type StateStreamLimits } from "./state-stream/limits.ts";
export {
  hasStateStream,
  openStateStream,
  type OpenStateStreamOptions,
} from "./state-stream/open-state-stream.ts";
export type { StateChange } from "./state-stream/state-changes.ts";
export type { StateEntry } from "./state-stream/state-image.ts";
export type { PendingWrite, StateStream } from "./state-stream/state-stream.ts";
