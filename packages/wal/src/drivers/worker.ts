import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { DirectoryEntry } from "@karst/runtime";
import { runtimeError } from "@karst/runtime";
import type {
  HolderProbe,
  NewSegment,
  SegmentDevice,
  SegmentWrite,
  SmallFile,
} from "../segment-device.ts";
import { nodeHolder } from "./node-holder.ts";
import {
  fromWire,
  type WorkerCall,
  type WorkerReply,
  type WorkerStart,
} from "./worker-protocol.ts";

/**
 * Where the worker's program is: always built output, since Node cannot start a worker from a TypeScript file everywhere.
 *
 * @throws Error where it has not been built.
 */
export function workerEntry(): URL {
  const built = import.meta.url.endsWith(".ts")
    ? new URL("../../dist/drivers/worker-entry.js", import.meta.url)
    : new URL("./worker-entry.js", import.meta.url);
  const path = fileURLToPath(built);
  if (!existsSync(path)) throw new Error(`${path} is missing: build the package first (tsc -b)`);
  return built;
}

/** A WAL's directory, by blocking calls in a thread of its own: neither busy pool threads nor this thread's work delay it. */
export function workerDevice(
  directory: string,
  options: { readonly holder?: HolderProbe } = {},
): SegmentDevice {
  return new WorkerDevice(resolve(directory), options.holder ?? nodeHolder());
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The worker's other end.
 *
 * Invariants: the worker is started by the first call. The process stays alive while a call is pending, and only then. When the
 * worker dies, every call rejects, now and later.
 */
class WorkerDevice implements SegmentDevice {
  readonly location: string;
  readonly blocking = false;
  readonly holder: HolderProbe;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #death: Error | undefined;
  #lastId = 0;

  constructor(directory: string, holder: HolderProbe) {
    this.location = directory;
    this.holder = holder;
  }

  list(): Promise<readonly DirectoryEntry[]> {
    return this.#call({ operation: "list", args: [] });
  }

  readSmall(name: string): Promise<Uint8Array | undefined> {
    return this.#call({ operation: "readSmall", args: [name] });
  }

  replaceSmall(file: SmallFile): Promise<void> {
    return this.#call({ operation: "replaceSmall", args: [file] });
  }

  createFence(epoch: number): Promise<void> {
    return this.#call({ operation: "createFence", args: [epoch] });
  }

  create(segment: NewSegment): Promise<void> {
    return this.#call({ operation: "create", args: [segment] });
  }

  recycle(from: string, segment: NewSegment): Promise<void> {
    return this.#call({ operation: "recycle", args: [from, segment] });
  }

  write(write: SegmentWrite): Promise<void> {
    return this.#call({ operation: "write", args: [write] });
  }

  read(name: string, position: number, into: Uint8Array): Promise<number> {
    return this.#call({ operation: "read", args: [name, position, into] });
  }

  size(name: string): Promise<number> {
    return this.#call({ operation: "size", args: [name] });
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#call({ operation: "remove", args: [names] });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || this.#death !== undefined) return;
    await this.#call({ operation: "close", args: [] });
    this.#die(runtimeError("IO_ERROR", `the thread of ${this.location} has been ended`));
    await worker.terminate();
  }

  #call<T>(call: OmitId<WorkerCall>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#death !== undefined) {
        reject(this.#death);
        return;
      }
      const worker = (this.#worker ??= this.#start());
      this.#lastId += 1;
      if (this.#pending.size === 0) worker.ref();
      this.#pending.set(this.#lastId, { resolve, reject });
      worker.postMessage({ ...call, id: this.#lastId });
    });
  }

  #start(): Worker {
    const start: WorkerStart = { directory: this.location };
    // The program is plain built JavaScript: flags of the parent, such as loaders, are not for it.
    const worker = new Worker(workerEntry(), {
      workerData: start,
      execArgv: [],
      name: "karst-wal",
    });
    worker.on("message", (reply: WorkerReply) => this.#settle(worker, reply));
    worker.on("error", (error) =>
      this.#die(
        runtimeError(
          "IO_ERROR",
          `the thread of ${this.location} has failed: ${error.message}`,
          error,
        ),
      ),
    );
    worker.on("exit", (code) =>
      this.#die(
        runtimeError("IO_ERROR", `the thread of ${this.location} has ended with code ${code}`),
      ),
    );
    return worker;
  }

  #settle(worker: Worker, reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) worker.unref();
    if ("error" in reply) pending?.reject(fromWire(reply.error));
    else pending?.resolve(reply.value as never);
  }

  #die(error: Error): void {
    if (this.#death !== undefined) return;
    this.#death = error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

type OmitId<Call> = Call extends { readonly id: number } ? Omit<Call, "id"> : never;
