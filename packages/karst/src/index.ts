export type {
  Codec,
  CodecContext,
  StandardIssue,
  StandardResult,
  StandardSchema,
} from "./api/codec.ts";
export type {
  ComponentOptions,
  Engine,
  EngineLimits,
  EngineSettings,
  OpenOptions,
  RootOptions,
} from "./api/engine.ts";
export type {
  Bytes,
  BytesInput,
  HeadersInput,
  Positions,
  RecordHeader,
  RecordInput,
  TopicRecord,
} from "./api/record.ts";
export type {
  AppendSession,
  AppendSessionOptions,
  AppendTicket,
  ReadSession,
} from "./api/session.ts";
export type { Appended, AppendOptions } from "./api/append.ts";
export type {
  Compression,
  CreateOptions,
  InputOf,
  PartitionDescription,
  ReadFrom,
  ReadOptions,
  Topic,
  TopicDescription,
  TopicOptions,
} from "./api/topic.ts";
export { bytesCodec, jsonCodec, textCodec } from "./codecs.ts";
export { KARST_ERRORS } from "./errors.ts";
export { open } from "./open.ts";
export { type ErrorKind, hasCode, isKarstError, type KarstError } from "@karst/runtime";
