import { readdirSync } from "node:fs";
import { Strace } from "../strace.ts";

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
  readonly #strace: Strace;

  private constructor(strace: Strace) {
    this.#strace = strace;
  }

  /** Resolves when the thread is traced. */
  static async inject({ pid, thread, calls, fault }: ThreadFaultOptions): Promise<ThreadFault> {
    const names = calls.join(",");
    const injected = fault === undefined ? [] : [`--inject=${names}:${fault}`];
    const args = [`--trace=${names}`, ...injected];
    return new ThreadFault(await Strace.attach(threadOf(pid, thread), args));
  }

  /** Once the traced process has ended, or to end the tracing. @returns how many calls of each name were begun. */
  async end(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const [, call = ""] of (await this.#strace.end()).matchAll(/^(\w+)\(/gm))
      counts.set(call, (counts.get(call) ?? 0) + 1);
    return counts;
  }
}

/** The pool's thread is the last that a process begins before it is ready, where the pool has only one. */
function threadOf(pid: number, thread: FaultThread): number {
  if (thread === "main") return pid;
  return Math.max(...readdirSync(`/proc/${pid}/task`).map(Number));
}
