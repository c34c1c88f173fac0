import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MemberBook } from "./member-book.ts";
import type { MemberMessage } from "./member-child.ts";

const CHILD = fileURLToPath(new URL("member-child.js", import.meta.url));

/** A member of a group in a process of its own, to be frozen and killed. */
export class MemberProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  #frozen = false;
  #complaint = "";

  /** @param failed told of what its lines show to be wrong. */
  constructor(
    name: string,
    where: { readonly address: string; readonly topic: string; readonly group: string },
    book: MemberBook,
    failed: (error: unknown) => void,
  ) {
    this.name = name;
    this.#child = spawn(process.execPath, [CHILD, where.address, where.topic, where.group, name], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("a child without pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      try {
        book.take(name, JSON.parse(line) as MemberMessage);
      } catch (error) {
        failed(error);
      }
    });
    stderr.on("data", (text: Buffer) => (this.#complaint += text.toString()));
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** What it said to standard error. */
  get complaint(): string {
    return this.#complaint;
  }

  freeze(): void {
    this.#frozen = true;
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#frozen = false;
    this.#child.kill("SIGCONT");
  }

  /** SIGTERM: it leaves the group. SIGKILL: nobody is told. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!this.isAlive) return;
    const closed = once(this.#child, "close");
    if (this.#frozen) this.thaw();
    this.#child.kill(signal);
    await closed;
  }
}
