export type { BucketQuery } from "./bucket-query.ts";
export { type FileObjectStoreOptions, fileObjectStore } from "./drivers/file/file-object-store.ts";
export type { Pace } from "./drivers/file/temp-files.ts";
export { memoryObjectStore, type MemoryObjectStoreOptions } from "./drivers/memory.ts";
export { MemoryBucket, type MemoryObject } from "./drivers/memory-bucket.ts";
export { OBJECT_STORE_ERRORS, objectStoreError } from "./errors.ts";
export { checkKey, checkPrefix } from "./key.ts";
export {
  KEY_LENGTH_MAX,
  KEY_SEGMENT_LENGTH_MAX,
  MULTIPART_PARTS_MAX,
  RETRY_LIMITS,
  type RetryLimits,
} from "./limits.ts";
export type {
  ByteRange,
  CallOptions,
  GetOptions,
  ListOptions,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
} from "./object-store.ts";
export { openRoot, type OpenRootOptions } from "./open-root.ts";
export { probeObjectStore } from "./probe.ts";
export { putIfAbsentResolved, type ResolveOptions } from "./put-resolved.ts";
export { type BucketRoot, parseRoot, type Root } from "./root.ts";
export {
  type Fault,
  FAULT_METHODS,
  type FaultPlan,
  faultRates,
  type FaultRates,
  type FaultTag,
  noFaults,
} from "./wrappers/fault-plan.ts";
export {
  type FaultCounts,
  type FaultyObjectStore,
  faultyObjectStore,
  type FaultyOptions,
} from "./wrappers/faulty.ts";
export type { ReadMethod, StoreCall, WriteMethod } from "./wrappers/hooked.ts";
export { meteredObjectStore } from "./wrappers/metered.ts";
export { prefixedObjectStore } from "./wrappers/prefixed.ts";
export { retryingObjectStore, type RetryOptions } from "./wrappers/retrying.ts";
