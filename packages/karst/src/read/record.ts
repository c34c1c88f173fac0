import type { DecodedRecord } from "@karst/records";
import { utf8Decode } from "@karst/runtime";
import type { Codec } from "../api/codec.ts";
import type { Bytes, Positions, RecordHeader, TopicRecord } from "../api/record.ts";
import { karstError } from "../errors.ts";

/** What the records of one step of a reading share. */
export interface RecordContext<Value, Key> {
  readonly topic: string;
  readonly partition: number;
  readonly valueCodec: Codec<Value, never>;
  readonly keyCodec: Codec<Key, never>;
  /** Positions of the reading when this step began. */
  readonly before: Positions;
}

/** Decodes when asked, and once. */
export class ReadRecord<Value, Key> implements TopicRecord<Value, Key> {
  readonly offset: number;
  readonly timestampMs: number;
  readonly headers: readonly RecordHeader[];
  readonly #key: Bytes;
  readonly #value: Bytes;
  readonly #context: RecordContext<Value, Key>;
  #decodedKey: { readonly key: Key | null } | undefined;
  #decodedValue: { readonly value: Value } | undefined;

  /** @param record whose memory is the reader's own. */
  constructor(record: DecodedRecord, context: RecordContext<Value, Key>) {
    this.offset = record.offset;
    this.timestampMs = record.timestampMs;
    this.headers = record.headers;
    this.#key = record.key;
    this.#value = record.value;
    this.#context = context;
  }

  get topic(): string {
    return this.#context.topic;
  }

  get partition(): number {
    return this.#context.partition;
  }

  get key(): Key | null {
    this.#decodedKey ??= {
      key: this.#key === null ? null : this.#decode(this.#context.keyCodec, this.#key, "key"),
    };
    return this.#decodedKey.key;
  }

  get value(): Value {
    this.#decodedValue ??= { value: this.#decode(this.#context.valueCodec, this.#value, "value") };
    return this.#decodedValue.value;
  }

  get position(): Positions {
    const { before, partition } = this.#context;
    return { ...before, offsets: { ...before.offsets, [partition]: this.offset + 1 } };
  }

  bytes(): Bytes {
    return this.#value;
  }

  text(): string {
    return this.#value === null ? "" : utf8Decode(this.#value);
  }

  json<T = unknown>(): T {
    if (this.#value === null) return null as T;
    try {
      return JSON.parse(utf8Decode(this.#value)) as T;
    } catch (cause) {
      throw this.#undecodable("value", cause);
    }
  }

  #decode<Decoded>(codec: Codec<Decoded, never>, bytes: Bytes, part: "key" | "value"): Decoded {
    try {
      return codec.decode(bytes, { topic: this.topic, part });
    } catch (cause) {
      throw this.#undecodable(part, cause);
    }
  }

  #undecodable(part: "key" | "value", cause: unknown): Error {
    const why = cause instanceof Error ? cause.message : String(cause);
    return karstError(
      "DECODING_FAILED",
      `${part} of the record at offset ${this.offset} of partition ${this.partition} of ${this.topic}: ${why}`,
      cause,
    );
  }
}
