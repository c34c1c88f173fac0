import type { Limits } from "@karst/core";
import type { ObjectStore } from "@karst/objectstore";
import type { MemoryBudget, Runtime } from "@karst/runtime";
import type { WalFactory, WalLimits } from "@karst/wal";
import type { Bytes } from "./record.ts";
import type { CreateOptions, InputOf, Topic, TopicOptions } from "./topic.ts";

/** Every bound of an engine and of the WAL that it opens. */
export type EngineLimits = Limits & WalLimits;

/** Settings: plain data. */
export interface EngineSettings {
  /** Overrides of the default limits. With an injected WAL: of the engine's alone. */
  readonly limits?: Partial<EngineLimits> | undefined;
  /** Accepts the loss of what only the WAL of this id holds. Logged. */
  readonly abandonWal?: string | undefined;
}

/** Where everything is, as a URL: `memory:` (gone at the end of the process), `file:DIR`, `s3://bucket/prefix` or `minio://bucket/prefix`. */
export interface RootOptions extends EngineSettings {
  readonly root: string;
  /** `file:DIR`. Default: the folder `wal` of a `file:` root; in memory for `memory:`. */
  readonly wal?: string | undefined;
  readonly runtime?: Runtime | undefined;
  readonly objectStore?: undefined;
  readonly memory?: undefined;
}

/** Components that are injected. The caller closes the store, after the engine. */
export interface ComponentOptions extends EngineSettings {
  readonly objectStore: ObjectStore;
  readonly wal: WalFactory;
  /** The budget that the WAL's slabs are reserved from too. */
  readonly memory?: MemoryBudget | undefined;
  readonly runtime?: Runtime | undefined;
  readonly root?: undefined;
}

export type OpenOptions = RootOptions | ComponentOptions;

/** One open instance over one root. */
export interface Engine extends AsyncDisposable {
  /** Minted with the WAL. */
  readonly nodeId: string;
  /** Settles with the reason when the engine has failed for ever; never rejects. After `close` it stays pending. */
  readonly failed: Promise<Error>;

  /** A handle; no I/O, and no check that the topic exists. */
  topic<Value = Bytes, Key = Bytes, ValueInput = InputOf<Value>, KeyInput = InputOf<Key>>(
    name: string,
    options?: TopicOptions<Value, Key, ValueInput, KeyInput>,
  ): Topic<Value, Key, ValueInput, KeyInput>;

  /**
   * Creates a topic; the handle's `autoCreate` does the same.
   *
   * @throws KarstError `TOPIC_EXISTS` (`conflict`), `INVALID_TOPIC_NAME`, `INVALID_PARTITIONS`, `INVALID_CONFIG`, `TOO_MANY_TOPICS`
   * (`invalid`), `COMMIT_UNKNOWN` (`indeterminate`).
   */
  createTopic(name: string, options?: CreateOptions): Promise<void>;
  /** Removes a topic and its records. @throws KarstError `TOPIC_NOT_FOUND` (`not_found`), `COMMIT_UNKNOWN` (`indeterminate`). */
  deleteTopic(name: string): Promise<void>;
  /** Names, in order. */
  listTopics(): readonly string[];

  /** Uploads what is durable, then ends. Appends that were called before settle first; later calls reject with `ENGINE_CLOSED`. */
  close(): Promise<void>;
}
