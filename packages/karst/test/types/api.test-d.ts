/*
 * The whole surface of `karst`, fixed: what is added later must leave every line of this as it is.
 *
 * Checked by the compiler alone (tsconfig.test.json): nothing here runs.
 */
import type { Limits } from "@karst/core";
import type { ObjectStore } from "@karst/objectstore";
import type { Runtime } from "@karst/runtime";
import type { WalFactory, WalLimits } from "@karst/wal";
import type * as karst from "karst";
import {
  type Appended,
  type AppendSession,
  type AppendTicket,
  type Bytes,
  type BytesInput,
  bytesCodec,
  type Codec,
  type Compression,
  type Engine,
  type ErrorKind,
  hasCode,
  type HeadersInput,
  isKarstError,
  jsonCodec,
  type KarstError,
  KARST_ERRORS,
  open,
  type OpenOptions,
  type Positions,
  type ReadFrom,
  type ReadSession,
  type RecordHeader,
  type RecordInput,
  type StandardSchema,
  textCodec,
  type Topic,
  type TopicDescription,
  type TopicRecord,
} from "karst";
import type * as kafkaEntry from "karst/kafka";
import type { KafkaListener, ListenOptions } from "karst/kafka";
import { expectTypeOf } from "vitest";

interface Order {
  readonly id: number;
  readonly total: number;
}

declare const engine: Engine;
declare const objectStore: ObjectStore;
declare const wal: WalFactory;
declare const runtime: Runtime;
declare const signal: AbortSignal;
declare const kafka: typeof kafkaEntry;

// What there is at run time.
expectTypeOf<keyof typeof karst>().toEqualTypeOf<
  "open" | "bytesCodec" | "textCodec" | "jsonCodec" | "isKarstError" | "hasCode" | "KARST_ERRORS"
>();

// Compressing.
expectTypeOf<Compression>().toEqualTypeOf<"none" | "gzip" | "snappy" | "lz4" | "zstd">();
expectTypeOf(engine.topic("orders", { compression: "zstd" })).toEqualTypeOf<Topic>();
// @ts-expect-error none of Kafka's
engine.topic("orders", { compression: "brotli" });

// Opening.
expectTypeOf(open).parameters.toEqualTypeOf<[OpenOptions]>();
expectTypeOf(open).returns.resolves.toEqualTypeOf<Engine>();
expectTypeOf(open).toBeCallableWith({ root: "memory:" });
expectTypeOf(open).toBeCallableWith({
  root: "file:./data",
  wal: "file:/fast/wal",
  abandonWal: "ab12",
});
expectTypeOf(open).toBeCallableWith({ objectStore, wal, runtime, limits: { uploadBytes: 1 } });
expectTypeOf(open).toBeCallableWith({ root: "memory:", limits: { segmentBytes: 1 } });
// @ts-expect-error a root and a store
expectTypeOf(open).toBeCallableWith({ root: "memory:", objectStore, wal });
// @ts-expect-error a store without a WAL
expectTypeOf(open).toBeCallableWith({ objectStore });
// @ts-expect-error nothing
expectTypeOf(open).toBeCallableWith({});
expectTypeOf<NonNullable<OpenOptions["limits"]>>().toEqualTypeOf<Partial<Limits & WalLimits>>();

// The engine.
expectTypeOf<keyof Engine>().toEqualTypeOf<
  | "nodeId"
  | "failed"
  | "topic"
  | "createTopic"
  | "deleteTopic"
  | "listTopics"
  | "close"
  | typeof Symbol.asyncDispose
>();
expectTypeOf(engine.nodeId).toBeString();
expectTypeOf(engine.failed).toEqualTypeOf<Promise<Error>>();
expectTypeOf(engine.close()).toEqualTypeOf<Promise<void>>();
expectTypeOf(engine).toExtend<AsyncDisposable>();
expectTypeOf(
  engine.createTopic("orders", { partitions: 3, configs: { "retention.ms": "-1" } }),
).toEqualTypeOf<Promise<void>>();
expectTypeOf(engine.deleteTopic("orders")).toEqualTypeOf<Promise<void>>();
expectTypeOf(engine.listTopics()).toEqualTypeOf<readonly string[]>();

// A topic of bytes.
const plain = engine.topic("orders");
expectTypeOf(plain).toEqualTypeOf<Topic>();
expectTypeOf(plain).toEqualTypeOf<Topic<Bytes, Bytes, BytesInput, BytesInput>>();
expectTypeOf(
  engine.topic("orders", { autoCreate: false, partitions: 3, configs: {} }),
).toEqualTypeOf<Topic>();
expectTypeOf<keyof Topic>().toEqualTypeOf<
  "name" | "append" | "read" | "appendSession" | "readSession" | "trim" | "describe"
>();

// append(one | many, { partition?, ifOffset?, signal? })
expectTypeOf(plain.append({ value: "hello" })).toEqualTypeOf<Promise<Appended>>();
expectTypeOf(plain.append).toBeCallableWith({
  key: "42",
  value: new Uint8Array(),
  timestampMs: 1,
  headers: { a: "b" },
});
expectTypeOf(plain.append).toBeCallableWith({
  key: null,
  value: null,
  headers: [{ key: "a", value: null }],
});
expectTypeOf(plain.append).toBeCallableWith([{ value: "a" }, { value: "b" }], {
  partition: 1,
  ifOffset: 7,
  signal,
});
// @ts-expect-error no value
expectTypeOf(plain.append).toBeCallableWith({ key: "42" });
// @ts-expect-error a number is not bytes
expectTypeOf(plain.append).toBeCallableWith({ value: 42 });
expectTypeOf<Appended>().toEqualTypeOf<{
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly endOffset: number;
  readonly timestampMs: number;
}>();
expectTypeOf<BytesInput>().toEqualTypeOf<string | Uint8Array | null>();
expectTypeOf<Bytes>().toEqualTypeOf<Uint8Array | null>();
expectTypeOf<{ readonly trace: "1" }>().toExtend<HeadersInput>();

// read({ from, follow?, partitions?, signal?, isolation? })
expectTypeOf(plain.read()).toEqualTypeOf<AsyncIterable<TopicRecord>>();
expectTypeOf(plain.read).toBeCallableWith({ from: "earliest" });
expectTypeOf(plain.read).toBeCallableWith({ from: "latest", follow: true, signal });
expectTypeOf(plain.read).toBeCallableWith({
  from: { timestamp: 1 },
  isolation: "read_uncommitted",
});
expectTypeOf(plain.read).toBeCallableWith({ from: { timestamp: new Date() }, partitions: [0, 2] });
expectTypeOf(plain.read).toBeCallableWith({ from: { offset: 4 } });
expectTypeOf(plain.read).toBeCallableWith({ from: { offset: 4, partition: 1 } });
expectTypeOf(plain.read).toBeCallableWith({ from: { offsets: { 0: 4, 1: 9 } } });
expectTypeOf<Positions>().toExtend<ReadFrom>();
// @ts-expect-error no such start
expectTypeOf(plain.read).toBeCallableWith({ from: "middle" });

// A record.
expectTypeOf<keyof TopicRecord>().toEqualTypeOf<
  | "topic"
  | "partition"
  | "offset"
  | "timestampMs"
  | "key"
  | "value"
  | "headers"
  | "position"
  | "bytes"
  | "text"
  | "json"
>();
expectTypeOf<TopicRecord["offset"]>().toBeNumber();
expectTypeOf<TopicRecord["value"]>().toEqualTypeOf<Bytes>();
expectTypeOf<TopicRecord["key"]>().toEqualTypeOf<Bytes>();
expectTypeOf<TopicRecord["headers"]>().toEqualTypeOf<readonly RecordHeader[]>();
expectTypeOf<TopicRecord["position"]>().toEqualTypeOf<Positions>();
expectTypeOf<ReturnType<TopicRecord["text"]>>().toBeString();
expectTypeOf<ReturnType<TopicRecord["json"]>>().toBeUnknown();
// What was read can be appended.
expectTypeOf<TopicRecord>().toExtend<RecordInput>();

expectTypeOf(plain.trim({ partition: 0, before: 10 })).toEqualTypeOf<Promise<void>>();
expectTypeOf(plain.describe()).toEqualTypeOf<Promise<TopicDescription>>();

// Typed topics: a codec per topic.
const typed = engine.topic("orders", { codec: jsonCodec<Order>(), partitions: 3 });
expectTypeOf(typed).toEqualTypeOf<Topic<Order>>();
expectTypeOf(typed).toEqualTypeOf<Topic<Order, Bytes, Order, BytesInput>>();
expectTypeOf(typed.append).toBeCallableWith({ key: "42", value: { id: 42, total: 3 } });
// @ts-expect-error not an order
expectTypeOf(typed.append).toBeCallableWith({ value: "hello" });
expectTypeOf(typed.read()).toEqualTypeOf<AsyncIterable<TopicRecord<Order>>>();

const options = { codec: jsonCodec<Order>(), keyCodec: textCodec, partitions: 3 } as const;
expectTypeOf(engine.topic("orders", options)).toEqualTypeOf<Topic<Order, string | null>>();

// A codec may accept more than it returns; a Standard Schema gives both types.
declare const schema: StandardSchema<{ id: string }, Order>;
expectTypeOf(jsonCodec(schema)).toEqualTypeOf<Codec<Order, { id: string }>>();
const checked = engine.topic("orders", { codec: jsonCodec(schema) });
expectTypeOf(checked).toEqualTypeOf<Topic<Order, Bytes, { id: string }, BytesInput>>();
expectTypeOf(checked.append).toBeCallableWith({ value: { id: "42" } });
expectTypeOf(bytesCodec).toEqualTypeOf<Codec<Bytes, BytesInput>>();

// Append sessions: submit → ticket → ack.
const writing = typed.appendSession({ bytesMax: 1024, signal });
expectTypeOf(writing).toEqualTypeOf<AppendSession<Order, BytesInput>>();
expectTypeOf<keyof AppendSession>().toEqualTypeOf<
  "submit" | "pendingBytes" | "flush" | "close" | typeof Symbol.asyncDispose
>();
expectTypeOf(writing.submit({ value: { id: 1, total: 2 } })).toEqualTypeOf<Promise<AppendTicket>>();
expectTypeOf(writing.submit).toBeCallableWith([{ value: { id: 1, total: 2 } }], {
  partition: 0,
  ifOffset: 1,
});
expectTypeOf<AppendTicket>().toEqualTypeOf<{
  readonly bytes: number;
  readonly count: number;
  ack(): Promise<Appended>;
}>();
expectTypeOf(writing.flush()).toEqualTypeOf<Promise<void>>();

// Read sessions: a place, and batches.
const reading = typed.readSession({ from: "earliest", follow: true });
expectTypeOf(reading).toEqualTypeOf<ReadSession<Order, Bytes>>();
expectTypeOf<keyof ReadSession>().toEqualTypeOf<
  | "positions"
  | "tail"
  | "nextBatch"
  | "close"
  | typeof Symbol.asyncIterator
  | typeof Symbol.asyncDispose
>();
expectTypeOf(reading.nextBatch()).toEqualTypeOf<
  Promise<readonly TopicRecord<Order>[] | undefined>
>();
expectTypeOf(reading.positions).toEqualTypeOf<Positions | undefined>();
expectTypeOf(reading).toExtend<AsyncIterable<TopicRecord<Order>>>();

// Errors.
declare const error: unknown;
if (isKarstError(error, "unavailable")) expectTypeOf(error).toEqualTypeOf<KarstError>();
if (hasCode(error, "APPEND_UNKNOWN")) expectTypeOf(error.kind).toEqualTypeOf<ErrorKind>();
expectTypeOf(KARST_ERRORS.INVALID_APPEND).toEqualTypeOf<"invalid">();

// Kafka clients: an entry of its own.
expectTypeOf<keyof typeof kafka>().toEqualTypeOf<"listen">();
expectTypeOf(kafka.listen(engine, { port: 9092 })).resolves.toEqualTypeOf<KafkaListener>();
expectTypeOf<keyof KafkaListener>().toEqualTypeOf<
  "host" | "port" | "connections" | "close" | typeof Symbol.asyncDispose
>();
expectTypeOf<keyof ListenOptions>().toEqualTypeOf<
  "host" | "port" | "advertised" | "limits" | "autoCreateTopics" | "groupInitialRebalanceDelayMs"
>();
