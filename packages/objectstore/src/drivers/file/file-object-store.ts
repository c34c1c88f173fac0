import type { Files, Random } from "@karst/runtime";
import { bodyParts } from "../../body.ts";
import { objectStoreError } from "../../errors.ts";
import { checkKey, checkPrefix } from "../../key.ts";
import { Lifecycle, refuseAborted } from "../../lifecycle.ts";
import { FILE_CALLS_MAX, FILE_CALLS_WAITING_MAX, TEMP_IDLE_MS } from "../../limits.ts";
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  MultipartUpload,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
} from "../../object-store.ts";
import { Directories } from "./directories.ts";
import { DurableKeys } from "./durable-keys.ts";
import { unavailable } from "./failures.ts";
import { FileUpload } from "./file-upload.ts";
import { Gate } from "./gate.ts";
import { Layout } from "./layout.ts";
import { Listing } from "./listing.ts";
import type { Names } from "./names.ts";
import { piecesOf } from "./pieces.ts";
import { prepareDirectories } from "./prepare.ts";
import { Publisher } from "./publisher.ts";
import { Reader } from "./reader.ts";
import { Remover } from "./remover.ts";
import { type Pace, TempFiles } from "./temp-files.ts";

export interface FileObjectStoreOptions {
  readonly files: Files;
  /** For the names of temporary files. */
  readonly random: Random;
  /** Made, with those above it, by the first call. Several processes may use it at once. */
  readonly directory: string;
  /** Holds up big writes while something urgent needs the disk. Rejecting fails the write. */
  readonly pace?: Pace;
  /** Idle time after which the first call takes another's temporary file for abandoned. */
  readonly tempIdleMs?: number;
}

/**
 * A store of one file per object, on a local disk or whatever keeps the promises of POSIX about `link`, `rename` and `fsync`.
 *
 * An object is written to a temporary file, synced, and then named; it is reported when the name is durable. Names of objects
 * that this instance did not write itself are synced before they are reported, so that an answer never rests on what a crash
 * may take back. Directories that deletes leave empty stay. A call that meets a failed sync of a directory, and all later
 * ones that rest on that directory, fail until the store is opened anew.
 *
 * It has no conditional replace, and of an object replaced by *another* process its reader may see bytes that are not durable
 * yet if they are as many as before.
 */
export function fileObjectStore(options: FileObjectStoreOptions): ObjectStore {
  return new FileObjectStore(options);
}

class FileObjectStore implements ObjectStore {
  readonly capabilities: ObjectStoreCapabilities = {
    multipart: true,
    putIfMatch: false,
    nestedKeys: true,
  };
  readonly location: string;
  readonly #files: Files;
  readonly #layout: Layout;
  readonly #temps: TempFiles;
  readonly #publisher: Publisher;
  readonly #reader: Reader;
  readonly #remover: Remover;
  readonly #tempIdleMs: number;
  readonly #lifecycle: Lifecycle;
  readonly #gate: Gate = new Gate({
    runningMax: FILE_CALLS_MAX,
    waitingMax: FILE_CALLS_WAITING_MAX,
  });
  readonly #uploads: Set<FileUpload> = new Set();
  #opened: Promise<void> | undefined;

  constructor(options: FileObjectStoreOptions) {
    const { files, random, directory } = options;
    if (directory === "") throw new TypeError("a file object store needs a directory");
    this.location = `file:${directory}`;
    this.#files = files;
    this.#layout = new Layout(directory);
    this.#temps = new TempFiles({
      files,
      directory: this.#layout.temp,
      random,
      pace: options.pace,
    });
    const names: Names = {
      files,
      layout: this.#layout,
      directories: new Directories(files, this.#layout),
      keys: new DurableKeys(),
    };
    this.#publisher = new Publisher(names, this.#temps);
    this.#reader = new Reader(names);
    this.#remover = new Remover(names);
    this.#tempIdleMs = options.tempIdleMs ?? TEMP_IDLE_MS;
    this.#lifecycle = new Lifecycle(this.location);
  }

  put(key: string, body: ObjectBody, options?: CallOptions): Promise<void> {
    return this.#call(`put ${key}`, options, async () => {
      checkKey(key);
      await this.#publisher.put(key, piecesOf(bodyParts(body)), options?.signal);
    });
  }

  putIfAbsent(key: string, body: ObjectBody, options?: CallOptions): Promise<"created" | "exists"> {
    return this.#call(`put ${key} if absent`, options, () => {
      checkKey(key);
      return this.#publisher.putIfAbsent(key, piecesOf(bodyParts(body)), options?.signal);
    });
  }

  putIfMatch(): Promise<"replaced" | "mismatch"> {
    return this.#lifecycle.run(undefined, async () => {
      throw objectStoreError("UNSUPPORTED", `${this.location} cannot replace on a condition`);
    });
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#call(`get ${key}`, options, async () => {
      checkKey(key);
      return this.#reader.get(key, options?.range, options?.signal);
    });
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#call(`head ${key}`, options, async () => {
      checkKey(key);
      const [info] = await this.#reader.look(this.#layout.directoryOf(key), [key]);
      return info;
    });
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    const startAfter = options?.startAfter ?? "";
    const step = <T>(run: () => Promise<T>): Promise<T> =>
      this.#call(`list ${prefix}`, options, run);
    await step(async () => {
      checkPrefix(prefix);
      checkPrefix(startAfter);
    });
    yield* new Listing({
      files: this.#files,
      layout: this.#layout,
      reader: this.#reader,
      prefix,
      startAfter,
      step,
    }).entries();
  }

  delete(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#call(`delete ${keys.length} objects`, options, async () => {
      for (const key of keys) checkKey(key);
      await this.#remover.remove(keys);
    });
  }

  createMultipart(key: string, options?: CallOptions): Promise<MultipartUpload> {
    return this.#call(`create upload of ${key}`, options, async () => {
      checkKey(key);
      const upload = new FileUpload({
        key,
        files: this.#files,
        temps: this.#temps,
        call: (what, callOptions, call) => this.#call(what, callOptions, call),
        publish: (pieces, signal) => this.#publisher.put(key, pieces, signal),
        ended: () => this.#uploads.delete(upload),
      });
      this.#uploads.add(upload);
      return upload;
    });
  }

  async close(): Promise<void> {
    await this.#lifecycle.close();
    for (const upload of this.#uploads) await upload.discard();
  }

  /** What every call goes through: open, room for one more, and errors in the words of this package. */
  #call<T>(what: string, options: CallOptions | undefined, call: () => Promise<T>): Promise<T> {
    return this.#lifecycle.run(options?.signal, async () => {
      try {
        await this.#open();
        return await this.#gate.run(() => {
          refuseAborted(options?.signal);
          return call();
        });
      } catch (error) {
        throw unavailable(error, `${this.location}: cannot ${what}`);
      }
    });
  }

  /** Once; again when it failed. */
  #open(): Promise<void> {
    this.#opened ??= this.#prepare().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #prepare(): Promise<void> {
    await prepareDirectories(this.#files, this.#layout);
    await this.#temps.sweep(this.#tempIdleMs);
  }
}
