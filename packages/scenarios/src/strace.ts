import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { within } from "./within.ts";

const ATTACH_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;

/** strace at a process or a thread, and the calls that it has seen. */
export class Strace {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#ended = once(child, "close");
    this.#ended.catch(() => undefined);
    this.#directory = directory;
  }

  /** Resolves when it is attached. @throws Error with what strace said, where it cannot be. */
  static async attach(pid: number, args: readonly string[]): Promise<Strace> {
    const directory = mkdtempSync(join(tmpdir(), "karst-strace-"));
    const child = spawn(
      "strace",
      [`--attach=${pid}`, `--output=${join(directory, "calls")}`, ...args],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const strace = new Strace(child, directory);
    let said = "";
    const attached = async (): Promise<boolean> => {
      for await (const line of createInterface({ input: child.stderr })) {
        if (line.includes("attached")) return true;
        said += line;
      }
      return false;
    };
    try {
      if (await within(ATTACH_TIMEOUT_MS, "strace is attached", attached())) return strace;
      throw new Error(`strace could not be attached to ${pid}: ${said}`);
    } catch (error) {
      await strace.end();
      throw error;
    }
  }

  /** The calls so far, one a line. */
  get calls(): string {
    return readFileSync(join(this.#directory, "calls"), "utf8");
  }

  /** Ends it, also where the process has ended before. @returns all calls. */
  async end(): Promise<string> {
    this.#child.kill("SIGINT");
    await within(END_TIMEOUT_MS, "strace ends", this.#ended);
    const { calls } = this;
    rmSync(this.#directory, { recursive: true, force: true });
    return calls;
  }
}
