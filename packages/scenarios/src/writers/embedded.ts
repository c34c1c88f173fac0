import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { COMMAND, freePort } from "../server.ts";
import type { ReadRow } from "../verify.ts";
import type { AppendMessage, ChildMessage, ParentMessage } from "./embedded-child.ts";
import { LaneWriter } from "./lanes.ts";
import type { Writer, WriterOptions } from "./writer.ts";

const CHILD = fileURLToPath(new URL("embedded-child.js", import.meta.url));

interface Pending {
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

export interface EmbeddedPlace {
  readonly root: string;
  readonly wal?: string;
  readonly limits?: Readonly<Record<string, number>>;
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The embedded engine in a process of its own, to be killed. With a root in memory, which must have a name, the process lives on and the
 * engine is closed in the middle of what it does.
 */
export class EmbeddedHost {
  readonly #place: EmbeddedPlace;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();
  #nextRequest = 0;
  #kills = 0;

  constructor(place: EmbeddedPlace) {
    this.#place = place;
  }

  get kills(): number {
    return this.#kills;
  }

  start(): Promise<void> {
    this.#running = this.#start();
    return this.#running;
  }

  async kill(): Promise<void> {
    this.#kills += 1;
    if (this.#inMemory) {
      await this.#closeEngine();
      return;
    }
    const child = this.#live();
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** The rows' offsets; tried again in the next life where the process dies, or the engine is closed, first. */
  async append(append: Omit<AppendMessage, "tag" | "request">): Promise<readonly number[]> {
    for (;;) {
      await this.#running;
      const request = this.#nextRequest++;
      try {
        return await new Promise<readonly number[]>((resolve, reject) => {
          this.#pending.set(request, { resolve, reject });
          this.#tell({ ...append, tag: "append", request });
        });
      } catch (error) {
        if (!(error instanceof KilledError)) throw error;
        // The one who killed it starts it again, in the same turn as the exit is seen.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async read(topic: string): Promise<ReadRow[]> {
    const child = this.#live();
    const rows: ReadRow[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      child.on("message", (message: ChildMessage) => {
        if (message.tag === "record") {
          const { partition, offset, value } = message;
          rows.push({ topic, partition, offset, id: Number(message.key), value });
        } else if (message.tag === "read-end") resolve();
      });
      child.once("exit", () => reject(new Error("the embedded process ended while reading")));
    });
    this.#tell({ tag: "read", topic });
    await ended;
    child.removeAllListeners("exit");
    return rows;
  }

  async close(): Promise<void> {
    await this.#closeEngine();
    await this.#exit();
  }

  /**
   * Closes the engine and runs `karst serve` over its root in the same process, the only one that knows a root in memory, until `end`.
   *
   * @returns where clients will be able to connect, in a moment.
   */
  async serve(): Promise<string> {
    await this.#closeEngine();
    const port = String(await freePort());
    const args = ["serve", "--root", this.#place.root, "--port", port, "--log", "error"];
    this.#tell({ tag: "command", path: COMMAND, args });
    return `127.0.0.1:${port}`;
  }

  /** Whatever its state: it does not run when this resolves. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  get #inMemory(): boolean {
    return this.#place.root.startsWith("memory:");
  }

  async #closeEngine(): Promise<void> {
    const child = this.#live();
    const closed = new Promise<void>((resolve, reject) => {
      const listen = (message: ChildMessage): void => {
        if (message.tag !== "closed") return;
        child.off("message", listen);
        resolve();
      };
      child.on("message", listen);
      child.once("exit", () => reject(new Error("the embedded process ended while closing")));
    });
    this.#tell({ tag: "close" });
    await closed;
  }

  async #exit(): Promise<void> {
    const exited = once(this.#live(), "exit");
    this.#tell({ tag: "end" });
    const [code] = (await exited) as [number | null];
    if (code !== 0) throw new Error(`the embedded process ended with ${code}`);
  }

  async #start(): Promise<void> {
    const child = this.#inMemory && this.#child !== undefined ? this.#child : this.#fork();
    const opened = new Promise<void>((resolve, reject) => {
      const listen = (message: ChildMessage): void => {
        if (message.tag !== "opened") return;
        child.off("message", listen);
        resolve();
      };
      child.on("message", listen);
      child.once("exit", () => reject(new Error("the embedded process ended before it was open")));
    });
    const { root, wal, limits = {} } = this.#place;
    this.#tell({ tag: "open", root, wal, limits });
    await opened;
  }

  #fork(): ChildProcess {
    const child = fork(CHILD, {
      // Not ours: a test runner resolves the packages to their sources, which Node cannot run.
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...this.#place.environment },
    });
    this.#child = child;
    child.on("message", (message: ChildMessage) => {
      if (message.tag === "acknowledged") this.#take(message.request)?.resolve(message.offsets);
      if (message.tag === "refused") this.#take(message.request)?.reject(new KilledError());
    });
    child.once("exit", () => {
      for (const { reject: fail } of this.#pending.values()) fail(new KilledError());
      this.#pending.clear();
    });
    return child;
  }

  #take(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #tell(message: ParentMessage): void {
    const child = this.#child;
    if (child === undefined || !child.connected) {
      // Dead already: its exit is on the way and rejects what is pending.
      return;
    }
    child.send(message, () => undefined);
  }

  #live(): ChildProcess {
    if (this.#child === undefined) throw new Error("the embedded process is not running");
    return this.#child;
  }
}

class KilledError extends Error {}

/**
 * Idempotent, which the embedded API is by its conditional append: each batch goes, as one, to the offset after the last one, however
 * often it is tried.
 */
export function embeddedWriter(options: WriterOptions, host: EmbeddedHost): Writer {
  const { topic, compression, idempotent } = options;
  const ends = new Map<number, number>();
  return new LaneWriter(
    options,
    async (partition, rows) => {
      const end = ends.get(partition) ?? 0;
      const ifOffset = idempotent ? end : undefined;
      ends.set(partition, end + rows.length);
      return host.append({ topic, partition, compression, rows, ifOffset });
    },
    () => Promise.resolve(),
  );
}
