import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ReadRow } from "../verify.ts";
import type { GroupBook, MemberLife } from "./group-book.ts";

const CHILD = fileURLToPath(new URL("kafkajs-member-child.js", import.meta.url));

export interface MemberProcessOptions {
  readonly name: string;
  readonly bootstrap: string;
  readonly groupId: string;
  readonly topic: string;
  readonly book: GroupBook;
  /** After so many records it does nothing any more, with the last of them not committed; 0: it never hangs. */
  readonly hangAfter: number;
}

/** A kafkajs member in a process of its own, and what it said. */
export class MemberProcess {
  readonly name: string;
  readonly records: ReadRow[] = [];
  /** Of the newest rebalance. */
  assigned: readonly number[] = [];
  /** Codecs of the batches that it decompressed. */
  readonly codecs: Set<string> = new Set();
  readonly violations: string[] = [];
  hangs = false;
  readonly #topic: string;
  readonly #life: MemberLife;
  /** Next offset of each partition of this assignment that it was given records of. */
  readonly #next = new Map<number, number>();
  readonly #process: ChildProcess;
  #complaint = "";

  constructor(options: MemberProcessOptions) {
    const { name, bootstrap, groupId, topic, book, hangAfter } = options;
    this.name = name;
    this.#topic = topic;
    this.#life = book.begin(name);
    const args = [CHILD, name, bootstrap, groupId, topic, String(hangAfter)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#process = child;
    child.stdin.on("error", () => undefined);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-2_000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(line.split("\t")));
  }

  /** It takes records from now on. */
  go(): void {
    this.#process.stdin?.write("go\n");
  }

  /** @throws Error with what it said, where it ended by itself. */
  check(): void {
    if (this.#hasEnded) throw new Error(`member ${this.name} ended: ${this.#complaint}`);
  }

  /** All that it said has been heard when this resolves. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  /** Leaves the group. @throws Error where it ends otherwise than it should. */
  async stop(): Promise<void> {
    const closed = once(this.#process, "close");
    this.#process.stdin?.end();
    const [code] = (await closed) as [number | null];
    if (code !== 0) throw new Error(`member ${this.name} ended with ${code}: ${this.#complaint}`);
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #hear([tag = "", ...fields]: readonly string[]): void {
    const [partition = 0, offset = 0] = fields.map(Number);
    switch (tag) {
      case "assigned":
        this.assigned = fields.map(Number);
        this.#next.clear();
        this.#life.assigned(this.assigned);
        return;
      case "row":
        this.#take(partition, offset, Number(fields[2]), fields.slice(3).join("\t"));
        return;
      case "committing":
        this.#life.committing(partition, offset);
        return;
      case "committed":
        this.#life.committed(partition, offset);
        return;
      case "codec":
        this.codecs.add(fields[0] ?? "");
        return;
      case "hangs":
        this.hangs = true;
        return;
    }
  }

  #take(partition: number, offset: number, id: number, value: string): void {
    const next = this.#next.get(partition) ?? offset;
    if (offset !== next)
      this.violations.push(`${this.name} was given ${partition}@${offset} where ${next} is next`);
    this.#next.set(partition, offset + 1);
    this.#life.deliver(partition, offset, `${partition}@${offset}`);
    this.records.push({ topic: this.#topic, partition, offset, id, value });
  }
}
