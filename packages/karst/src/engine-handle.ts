import type { Bytes } from "./api/record.ts";
import type { Engine } from "./api/engine.ts";
import type { CreateOptions, InputOf, Topic, TopicOptions } from "./api/topic.ts";
import { EngineContext } from "./engine-context.ts";
import { karstError } from "./errors.ts";
import type { EngineParts } from "./open-parts.ts";
import { TopicHandle } from "./topic-handle.ts";

/** Lets others in. */
export interface OpenListener {
  close(): Promise<void>;
}

/**
 * The engine that `open` gives.
 *
 * Invariants: it has one listener at most. Once closing, nothing new begins; the listener is closed first, and the parts after
 * everything that began before has settled.
 */
export class EngineHandle implements Engine {
  readonly #parts: EngineParts;
  readonly #context: EngineContext;
  #listener: OpenListener | "starting" | undefined;
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

  /**
   * Starts a listener over the parts, which calls `onClosed` at its end.
   *
   * @throws KarstError `LISTENER_OPEN` (`conflict`); `ENGINE_CLOSED` (`closed`), also when that happens meanwhile; whatever `start`
   * rejects with.
   */
  async listen<Listener extends OpenListener>(
    start: (parts: EngineParts, onClosed: () => void) => Promise<Listener>,
  ): Promise<Listener> {
    this.#context.check();
    if (this.#listener !== undefined)
      throw karstError("LISTENER_OPEN", "this engine has a listener: close that one first");
    this.#listener = "starting";
    const done = this.#context.begin();
    const onClosed = (): void => {
      this.#listener = undefined;
    };
    try {
      const listener = await start(this.#parts, onClosed);
      this.#listener = listener;
      if (this.#context.ended) await listener.close();
      this.#context.check();
      return listener;
    } catch (error) {
      onClosed();
      throw error;
    } finally {
      done();
    }
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
    try {
      if (typeof this.#listener === "object") await this.#listener.close();
    } finally {
      await this.#context.idle();
      await this.#parts.close();
    }
  }
}
