import { spawn, spawnSync } from "node:child_process";
import { Strace } from "./strace.ts";

export interface CallFaultOptions {
  readonly pid: number;
  /** Name of a system call. */
  readonly call: string;
  /** What becomes of it, as strace says it: `error=EIO`, `retval=0:when=1`. Counts are per thread. */
  readonly fault: string;
  /** Only calls on this file. */
  readonly path?: string;
}

/** A system call of a running process that fails, by strace, until it is lifted. */
export class CallFault {
  readonly #strace: Strace;

  private constructor(strace: Strace) {
    this.#strace = strace;
  }

  /** Resolves when every thread of the process is traced. */
  static async inject({ pid, call, fault, path }: CallFaultOptions): Promise<CallFault> {
    const only = path === undefined ? [] : [`--trace-path=${path}`];
    const args = ["-f", `--trace=${call}`, `--inject=${call}:${fault}`, ...only];
    return new CallFault(await Strace.attach(pid, args));
  }

  /** Calls that failed so far. */
  get count(): number {
    return this.#strace.calls.split("(INJECTED)").length - 1;
  }

  /** Ends it, also where the process has ended before. */
  async lift(): Promise<void> {
    await this.#strace.end();
  }
}

/** Whether system calls of a running process can be made to fail here. */
export async function canInject(): Promise<boolean> {
  if (spawnSync("strace", ["-V"]).status !== 0) return false;
  const subject = spawn("sleep", ["30"]);
  try {
    const fault = await CallFault.inject({
      pid: subject.pid as number,
      call: "fdatasync",
      fault: "error=EIO",
    });
    await fault.lift();
    return true;
  } catch {
    return false;
  } finally {
    subject.kill("SIGKILL");
  }
}
