export {
  concatBytes,
  copyOf,
  equalBytes,
  getInt64,
  setInt64,
  utf8Decode,
  utf8DecodeStrict,
  utf8Encode,
  viewOf,
} from "./bytes.ts";
export { DiskTurns } from "./disk-turns.ts";
export { type Clock, sleep, type Timer } from "./clock.ts";
export { crc32c, crc32cImplementation } from "./crc32c.ts";
export {
  assert,
  defineErrors,
  type ErrorKind,
  type ErrorTable,
  hasCode,
  isKarstError,
  KarstError,
  RUNTIME_ERRORS,
  runtimeError,
} from "./errors.ts";
export type {
  BlockingFile,
  BlockingFiles,
  DirectoryEntry,
  FileHandle,
  FileKind,
  Files,
} from "./files.ts";
export { MEMORY_BUDGET_BYTES, SLAB_BYTES } from "./limits.ts";
export { type LogFields, type Logger, silentLogger } from "./log.ts";
export { MemoryBudget } from "./memory-budget.ts";
export { MemoryShare } from "./memory-share.ts";
export { type Counter, type Gauge, type Metrics, noMetrics } from "./metrics.ts";
export type { Connection, ConnectionHandlers, Listener, Net } from "./net.ts";
export { type Random, randomId, randomInteger } from "./random.ts";
export type { Runtime } from "./runtime.ts";
export { POISON_BYTE, Slab, SlabPool } from "./slabs.ts";
