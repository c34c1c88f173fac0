import { CODEC_NAMES } from "@karst/records";
import type { Appended, AppendOptions } from "./api/append.ts";
import type { Codec } from "./api/codec.ts";
import type { RecordInput, TopicRecord } from "./api/record.ts";
import type { AppendSession, AppendSessionOptions, ReadSession } from "./api/session.ts";
import type { ReadOptions, Topic, TopicDescription, TopicOptions } from "./api/topic.ts";
import { TopicAppendSession } from "./append/append-session.ts";
import { TopicWriter } from "./append/topic-writer.ts";
import { bytesCodec } from "./codecs.ts";
import type { EngineContext } from "./engine-context.ts";
import { type ReadSource, TopicReadSession } from "./read/read-session.ts";

/** A topic by its name. What it names is looked up at each call. */
export class TopicHandle<Value, Key, ValueInput, KeyInput> implements Topic<
  Value,
  Key,
  ValueInput,
  KeyInput
> {
  readonly name: string;
  readonly #context: EngineContext;
  readonly #writer: TopicWriter<ValueInput, KeyInput>;
  readonly #source: ReadSource<Value, Key>;

  constructor(
    context: EngineContext,
    name: string,
    options: TopicOptions<Value, Key, ValueInput, KeyInput>,
  ) {
    // Without a codec the types are those of bytes, which the compiler cannot see here.
    const value = options.codec ?? (bytesCodec as unknown as Codec<Value, ValueInput>);
    const key = options.keyCodec ?? (bytesCodec as unknown as Codec<Key, KeyInput>);
    const { autoCreate = true, partitions, configs, compression = "none" } = options;
    if (!CODEC_NAMES.includes(compression)) {
      throw new TypeError(
        `compression "${String(compression)}" is none of ${CODEC_NAMES.join(", ")}`,
      );
    }
    this.name = name;
    this.#context = context;
    this.#writer = new TopicWriter(context, {
      autoCreate,
      partitions,
      configs,
      encoding: { codec: compression, compress: "if-smaller" },
      codecs: { topic: name, value, key },
    });
    this.#source = {
      topic: name,
      autoCreate,
      partitions,
      configs,
      valueCodec: value,
      keyCodec: key,
    };
  }

  append(
    records: RecordInput<ValueInput, KeyInput> | readonly RecordInput<ValueInput, KeyInput>[],
    options: AppendOptions = {},
  ): Promise<Appended> {
    return this.#writer.append(records, options);
  }

  read(options: ReadOptions = {}): AsyncIterable<TopicRecord<Value, Key>> {
    return this.readSession(options);
  }

  appendSession(options: AppendSessionOptions = {}): AppendSession<ValueInput, KeyInput> {
    return new TopicAppendSession(this.#context, this.#writer, options);
  }

  readSession(options: ReadOptions = {}): ReadSession<Value, Key> {
    return new TopicReadSession(this.#context, this.#source, options);
  }

  async trim(options: { readonly partition: number; readonly before: number }): Promise<void> {
    this.#context.check();
    const { topicId } = this.#context.topic(this.name);
    const log = await this.#context.topics.partition(topicId, options.partition);
    await log.trim(options.before);
  }

  async describe(): Promise<TopicDescription> {
    this.#context.check();
    const topic = this.#context.topic(this.name);
    const logs = await Promise.all(
      Array.from({ length: topic.partitions }, (_, partition) =>
        this.#context.topics.partition(topic.topicId, partition),
      ),
    );
    return {
      topicId: topic.topicId,
      name: topic.name,
      configs: topic.configs,
      partitions: logs.map(({ partition, logStartOffset, lastStableOffset, highWatermark }) => ({
        partition,
        logStartOffset,
        lastStableOffset,
        highWatermark,
      })),
    };
  }
}
