export { SEGMENT_HEADER_BYTES } from "./format/segment-header.ts";
export { inlineDevice } from "./drivers/inline.ts";
export { simulatedDevice, type SimulatedDeviceOptions } from "./drivers/simulated.ts";
export { workerDevice, workerEntry } from "./drivers/worker.ts";
export { WAL_ERRORS, walError } from "./errors.ts";
export { type DeviceKind, fileWal, type FileWalFactoryOptions } from "./file-factory.ts";
export { memoryWal, type MemoryWalOptions } from "./memory-factory.ts";
export { DEFAULT_WAL_LIMITS, type WalLimits } from "./limits.ts";
export type { HolderProbe, NewSegment, SegmentDevice, SegmentWrite } from "./segment-device.ts";
export {
  type AppendedFrame,
  type ClaimFacts,
  type Frame,
  type RecoveredFrame,
  type Wal,
  WAL_START,
  type WalClaim,
  type WalFactory,
  type WalKind,
  type WalListener,
  type WalPosition,
} from "./wal.ts";
