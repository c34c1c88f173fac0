import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Row } from "../dataset.ts";
import type { ReadRow } from "../verify.ts";
import type { ChildMessage, ParentMessage } from "./embedded-child.ts";
import { LaneWriter } from "./lanes.ts";
import type { Writer, WriterOptions } from "./writer.ts";

const CHILD = fileURLToPath(new URL("embedded-child.js", import.meta.url));

interface Pending {
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

/** The embedded engine in a process of its own, to be killed. */
export class EmbeddedHost {
  readonly #root: string;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();
  #nextRequest = 0;
  #kills = 0;

  constructor(root: string, limits: Readonly<Record<string, number>>) {
    this.#root = root;
    this.#limits = limits;
  }

  get kills(): number {
    return this.#kills;
  }

  start(): Promise<void> {
    this.#running = this.#start();
    return this.#running;
  }

  async kill(): Promise<void> {
    const child = this.#live();
    const exited = once(child, "exit");
    this.#kills += 1;
    child.kill("SIGKILL");
    await exited;
  }

  /** The rows' offsets; tried again in the next life where the process dies first. */
  async append(topic: string, partition: number, rows: readonly Row[]): Promise<readonly number[]> {
    for (;;) {
      await this.#running;
      const request = this.#nextRequest++;
      try {
        return await new Promise<readonly number[]>((resolve, reject) => {
          this.#pending.set(request, { resolve, reject });
          this.#tell({ tag: "append", request, topic, partition, rows });
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
    const exited = once(this.#live(), "exit");
    this.#tell({ tag: "close" });
    const [code] = (await exited) as [number | null];
    if (code !== 0) throw new Error(`the embedded process ended with ${code}`);
  }

  async #start(): Promise<void> {
    const child = fork(CHILD, {
      // Not ours: a test runner resolves the packages to their sources, which Node cannot run.
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child = child;
    const opened = new Promise<void>((resolve, reject) => {
      child.on("message", (message: ChildMessage) => {
        if (message.tag === "opened") resolve();
        if (message.tag !== "acknowledged") return;
        this.#pending.get(message.request)?.resolve(message.offsets);
        this.#pending.delete(message.request);
      });
      child.once("exit", () => {
        for (const { reject: fail } of this.#pending.values()) fail(new KilledError());
        this.#pending.clear();
        reject(new Error("the embedded process ended before it was open"));
      });
    });
    this.#tell({ tag: "open", root: this.#root, limits: this.#limits });
    await opened;
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

export function embeddedWriter(options: WriterOptions, host: EmbeddedHost): Writer {
  return new LaneWriter(
    options,
    (partition, rows) => host.append(options.topic, partition, rows),
    () => Promise.resolve(),
  );
}
