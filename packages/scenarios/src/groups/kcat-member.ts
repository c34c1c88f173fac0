import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface KcatRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/**
 * `kcat -G` in a process of its own, which may be killed. It commits what it was given every now and then, and at its end. It gives up
 * when its broker dies.
 */
export class KcatMember {
  readonly records: KcatRecord[] = [];
  /** Of the newest rebalance. */
  assigned: readonly number[] = [];
  rebalances = 0;
  readonly #process: ChildProcess;

  constructor(options: {
    readonly bootstrap: string;
    readonly groupId: string;
    readonly topic: string;
  }) {
    const settings = [
      "auto.offset.reset=earliest",
      "auto.commit.interval.ms=100",
      "session.timeout.ms=6000",
      "heartbeat.interval.ms=300",
      "reconnect.backoff.max.ms=300",
    ].flatMap((setting) => ["-X", setting]);
    const args = ["-b", options.bootstrap, "-G", options.groupId, ...settings, "-u"];
    const child = spawn("kcat", [...args, "-f", "%p\\t%o\\t%s\\n", options.topic], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [partition, offset, ...value] = line.split("\t");
      const record = { partition: Number(partition), offset: Number(offset) };
      this.records.push({ ...record, value: value.join("\t") });
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (!line.includes("rebalanced")) return;
      this.rebalances += 1;
      this.assigned = line.includes("assigned:")
        ? [...line.slice(line.indexOf("assigned:")).matchAll(/\[(\d+)\]/g)].map(([, n]) =>
            Number(n),
          )
        : [];
    });
  }

  /** SIGTERM: commits, leaves. SIGKILL: does neither. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (this.hasEnded) return;
    const exited = once(child, "close");
    child.kill(signal);
    await exited;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
