export type {
  Catalogue,
  CatalogueChange,
  CatalogueRow,
  CommitOutcome,
  Revision,
  Transaction,
} from "./catalogue/catalogue.ts";
export type { Engine, EngineOptions } from "./engine.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export type {
  AppendInput,
  PendingAppend,
  ReadOptions,
  Stream,
  StreamBatch,
  StreamRead,
  StreamState,
} from "./stream/stream.ts";
