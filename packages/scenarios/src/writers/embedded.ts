import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { COMMAND, freePort } from "../server.ts";
import type { ReadRow } from "../verify.ts";
import { within } from "../within.ts";
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

/** What is awaited of the process: one thing at a time. */
interface Awaited {
  readonly tag: ChildMessage["tag"];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** From a word to the process to what it answers, or to its end. */
const ANSWER_TIMEOUT_MS = 120_000;

/**
 * The embedded engine in a process of its own, to be killed. With a root in memory, which must have a name, the process lives on and the
 * engine is closed in the middle of what it does.
 *
 * Invariants: `#running` is pending from a `kill` to the end of the `start` after it; an exit that nobody asked for fails
 * whatever is awaited, and all appends after it.
 */
export class EmbeddedHost {
  readonly #place: EmbeddedPlace;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #mayExit = false;
  #awaited: Awaited | undefined;
  #running: Promise<void> = Promise.resolve();
  #revive: (started: Promise<void>) => void = () => undefined;
  #failure: Error | undefined;
  #rows: ReadRow[] = [];
  #readTopic = "";
  #nextRequest = 0;
  #kills = 0;

  constructor(place: EmbeddedPlace) {
    this.#place = place;
  }

  get kills(): number {
    return this.#kills;
  }

  start(): Promise<void> {
    const started = this.#start();
    this.#revive(started);
    this.#running = started;
    return started;
  }

  async kill(): Promise<void> {
    this.#kills += 1;
    this.#running = new Promise((resolve) => {
      this.#revive = resolve;
    });
    // Who awaits it is told: nobody has to.
    this.#running.catch(() => undefined);
    if (this.#inMemory) await this.#ask({ tag: "close" }, "closed");
    else await this.end();
  }

  /** The rows' offsets; tried again in the next life where the process dies, or the engine is closed, first. */
  async append(append: Omit<AppendMessage, "tag" | "request">): Promise<readonly number[]> {
    for (;;) {
      await this.#running;
      if (this.#failure !== undefined) throw this.#failure;
      const request = this.#nextRequest++;
      try {
        return await new Promise<readonly number[]>((resolve, reject) => {
          this.#pending.set(request, { resolve, reject });
          this.#tell({ ...append, tag: "append", request });
        });
      } catch (error) {
        if (!(error instanceof KilledError)) throw error;
      }
    }
  }

  async read(topic: string): Promise<ReadRow[]> {
    this.#rows = [];
    this.#readTopic = topic;
    await this.#ask({ tag: "read", topic }, "read-end");
    return this.#rows;
  }

  async close(): Promise<void> {
    await this.#ask({ tag: "close" }, "closed");
    this.#mayExit = true;
    this.#tell({ tag: "end" });
    const code = await this.#exit();
    if (code !== 0) throw new Error(`the embedded process ended with ${code}`);
  }

  /**
   * Closes the engine and runs `karst serve` over its root in the same process, the only one that knows a root in memory, until `end`.
   *
   * @returns where clients will be able to connect, in a moment.
   */
  async serve(): Promise<string> {
    await this.#ask({ tag: "close" }, "closed");
    const port = String(await freePort());
    const args = ["serve", "--root", this.#place.root, "--port", port, "--log", "error"];
    this.#tell({ tag: "command", path: COMMAND, args });
    return `127.0.0.1:${port}`;
  }

  /** Whatever its state: it does not run when this resolves. */
  async end(): Promise<void> {
    this.#mayExit = true;
    this.#child?.kill("SIGKILL");
    await this.#exit();
  }

  get #inMemory(): boolean {
    return this.#place.root.startsWith("memory:");
  }

  async #start(): Promise<void> {
    if (!this.#inMemory || this.#child === undefined) this.#fork();
    const { root, wal, limits = {} } = this.#place;
    await this.#ask({ tag: "open", root, wal, limits }, "opened");
  }

  #fork(): void {
    const child = fork(CHILD, {
      // Not ours: a test runner resolves the packages to their sources, which Node cannot run.
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...this.#place.environment },
    });
    this.#child = child;
    this.#mayExit = false;
    child.on("message", (message: ChildMessage) => this.#hear(message));
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#lost(`the embedded process ended with ${code ?? signal}`);
        resolve(code);
      });
    });
  }

  #exit(): Promise<number | null> {
    return within(ANSWER_TIMEOUT_MS, "the embedded process ends", this.#exited);
  }

  #hear(message: ChildMessage): void {
    switch (message.tag) {
      case "acknowledged":
        this.#take(message.request)?.resolve(message.offsets);
        return;
      case "refused":
        this.#take(message.request)?.reject(new KilledError());
        return;
      case "record": {
        const { partition, offset, key, value } = message;
        this.#rows.push({ topic: this.#readTopic, partition, offset, id: Number(key), value });
        return;
      }
      case "opened":
      case "closed":
      case "read-end":
        if (this.#awaited?.tag !== message.tag) return;
        this.#awaited.resolve();
        this.#awaited = undefined;
    }
  }

  #lost(how: string): void {
    if (!this.#mayExit) this.#failure = new Error(how);
    for (const { reject } of this.#pending.values()) reject(this.#failure ?? new KilledError());
    this.#pending.clear();
    this.#awaited?.reject(new Error(`${how} before it was ${this.#awaited.tag}`));
    this.#awaited = undefined;
  }

  #take(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  /** @throws Error where the process ends before it answers with the tag, or does not answer in time. */
  async #ask(message: ParentMessage, tag: Awaited["tag"]): Promise<void> {
    if (this.#child?.connected !== true) throw new Error("the embedded process is not running");
    const answer = new Promise<void>((resolve, reject) => {
      this.#awaited = { tag, resolve, reject };
    });
    this.#tell(message);
    await within(ANSWER_TIMEOUT_MS, `the embedded process is ${tag}`, answer);
  }

  /** Where it is dead already, its exit is on the way, and rejects what is pending. */
  #tell(message: ParentMessage): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
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
