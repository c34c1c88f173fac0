import type { Bytes } from "./api/record.ts";
import type { Engine } from "./api/engine.ts";
import type { CreateOptions, InputOf, Topic, TopicOptions } from "./api/topic.ts";
import { EngineContext } from "./engine-context.ts";
import type { EngineParts } from "./open-parts.ts";
import { TopicHandle } from "./topic-handle.ts";

/**
 * The engine that `open` gives.
 *
 * Invariant: once closing, nothing new begins, and the parts are closed after everything that began before has settled.
 */
export class EngineHandle implements Engine {
  readonly #parts: EngineParts;
  readonly #context: EngineContext;
  #closing: Promise<void> | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#context = new EngineContext({
      topics: parts.topics,
      runtime: parts.engine.runtime,
      limits: parts.engine.limits,
    });
  }

  get nodeId(): string {
    return this.#parts.engine.nodeId;
  }

  get failed(): Promise<Error> {
    return this.#parts.engine.failed;
  }

  topic<Value = Bytes, Key = Bytes, ValueInput = InputOf<Value>, KeyInput = InputOf<Key>>(
    name: string,
    options: TopicOptions<Value, Key, ValueInput, KeyInput> = {},
  ): Topic<Value, Key, ValueInput, KeyInput> {
    if (typeof name !== "string") throw new TypeError("a topic's name is text");
    return new TopicHandle(this.#context, name, options);
  }

  async createTopic(name: string, options: CreateOptions = {}): Promise<void> {
    this.#context.check();
    await this.#context.topics.create({
      name,
      partitions: options.partitions ?? 1,
      ...(options.configs === undefined ? {} : { configs: options.configs }),
    });
  }

  async deleteTopic(name: string): Promise<void> {
    this.#context.check();
    await this.#context.topics.delete(this.#context.topic(name).topicId);
  }

  listTopics(): readonly string[] {
    this.#context.check();
    return this.#context.topics.list().map((topic) => topic.name);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#context.end();
    await this.#context.idle();
    await this.#parts.close();
  }
}
