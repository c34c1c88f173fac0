import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** `main`: a WAL in the main thread. `pool`: the object store's files, where the pool has one thread. */
export type FaultThread = "main" | "pool";

export interface ThreadFaultOptions {
  readonly pid: number;
  readonly thread: FaultThread;
  readonly calls: readonly string[];
  /** What becomes of them, as strace says it: `error=EIO:when=3`. Such a call is not made. Undefined: they are only counted. */
  readonly fault?: string;
}

/** System calls of one thread of a process that fail, or end the process. Unlike `CallFault` it counts one thread's calls only. */
export class ThreadFault {
  readonly #strace: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<unknown>;

  private constructor(strace: ChildProcess, directory: string) {
    this.#strace = strace;
    this.#directory = directory;
    this.#ended = once(strace, "close");
    this.#ended.catch(() => undefined);
  }

  /** Resolves when the thread is traced. */
  static async inject({ pid, thread, calls, fault }: ThreadFaultOptions): Promise<ThreadFault> {
    const directory = mkdtempSync(join(tmpdir(), "karst-strace-"));
    const strace = spawn(
      "strace",
      [
        `--attach=${threadOf(pid, thread)}`,
        `--output=${join(directory, "calls")}`,
        `--trace=${calls.join(",")}`,
        ...(fault === undefined ? [] : [`--inject=${calls.join(",")}:${fault}`]),
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const injected = new ThreadFault(strace, directory);
    let said = "";
    for await (const line of createInterface({ input: strace.stderr })) {
      if (line.includes("attached")) return injected;
      said += line;
    }
    await injected.end();
    throw new Error(`strace could not be attached to the ${thread} thread of ${pid}: ${said}`);
  }

  /** Once the traced process has ended, or to end the tracing. @returns how many calls of each name were begun. */
  async end(): Promise<ReadonlyMap<string, number>> {
    this.#strace.kill("SIGINT");
    await this.#ended;
    const text = readFileSync(join(this.#directory, "calls"), "utf8");
    rmSync(this.#directory, { recursive: true, force: true });
    const counts = new Map<string, number>();
    for (const [, call = ""] of text.matchAll(/^(\w+)\(/gm))
      counts.set(call, (counts.get(call) ?? 0) + 1);
    return counts;
  }
}

/** The pool's thread is the last that a process begins before it is ready, where the pool has only one. */
function threadOf(pid: number, thread: FaultThread): number {
  if (thread === "main") return pid;
  return Math.max(...readdirSync(`/proc/${pid}/task`).map(Number));
}
