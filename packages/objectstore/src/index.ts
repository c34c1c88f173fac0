export { OBJECT_STORE_ERRORS, objectStoreError } from "./errors.ts";
export type {
  ByteRange,
  CallOptions,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
} from "./object-store.ts";
