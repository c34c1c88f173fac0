export type { ActiveFault, DiskCall, DiskEffect, DiskFault, DiskOperation } from "./disk/faults.ts";
export { type CrashKeep, SECTOR_BYTES } from "./disk/file-content.ts";
export {
  type CrashReport,
  type DiskEvent,
  type DiskLatency,
  type DiskObserver,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from "./disk/simulated-disk.ts";
export type { SystemErrorCode } from "./disk/system-error.ts";
export { ManualClock } from "./manual-clock.ts";
export { SeededRandom } from "./seeded-random.ts";
export { Sfc32 } from "./sfc32.ts";
export { type CountingMetrics, countingMetrics } from "./counting-metrics.ts";
export { SimulatedConnection } from "./net/connection.ts";
export { SimulatedNet, type SimulatedNetOptions } from "./net/simulated-net.ts";
export { type LoggedEvent, type RecordingLogger, recordingLogger } from "./recording-logger.ts";
export {
  type SimulatedRuntime,
  simulatedRuntime,
  type SimulatedRuntimeOptions,
} from "./simulated-runtime.ts";
