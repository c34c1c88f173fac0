import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

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
  readonly #strace: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #directory: string;

  private constructor(strace: ChildProcess, directory: string) {
    this.#strace = strace;
    this.#ended = once(strace, "exit");
    this.#directory = directory;
  }

  /** Resolves when every thread of the process is traced. */
  static async inject({ pid, call, fault, path }: CallFaultOptions): Promise<CallFault> {
    const directory = mkdtempSync(join(tmpdir(), "karst-strace-"));
    const strace = spawn(
      "strace",
      [
        "-f",
        `--attach=${pid}`,
        `--output=${join(directory, "calls")}`,
        `--trace=${call}`,
        `--inject=${call}:${fault}`,
        ...(path === undefined ? [] : [`--trace-path=${path}`]),
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const injected = new CallFault(strace, directory);
    for await (const line of createInterface({ input: strace.stderr })) {
      if (line.includes("attached")) return injected;
    }
    await injected.lift();
    throw new Error(`strace could not be attached to ${pid}`);
  }

  /** Calls that failed so far. */
  get count(): number {
    return readFileSync(join(this.#directory, "calls"), "utf8").split("(INJECTED)").length - 1;
  }

  /** Ends it, also where the process has ended before. */
  async lift(): Promise<void> {
    this.#strace.kill("SIGINT");
    await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
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
