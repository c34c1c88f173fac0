import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BareMode } from "../bare/group-commit.ts";

/** A broker in a process of its own. */
export class Server {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  static toy(folder: string, mode: BareMode): Promise<Server> {
    const entry = fileURLToPath(new URL("../bare/toy-broker.js", import.meta.url));
    return Server.#start([entry, `${folder}/log`, mode]);
  }

  /** The `karst serve` command as users have it. */
  static karst(folder: string): Promise<Server> {
    const command = fileURLToPath(new URL("main.js", import.meta.resolve("karst")));
    return Server.#start([command, "serve", "--port", "0", "--data", folder, "--log", "warn"]);
  }

  /** Resolves once a line of its output names the port. */
  static async #start(args: readonly string[]): Promise<Server> {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const port = await new Promise<number>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}`)));
      lines.on("line", (line) => {
        const match = /listen\w* on (?:.*:)?(\d+)$/.exec(line);
        if (match !== null) resolve(Number(match[1]));
      });
    });
    return new Server(child, port);
  }

  /** Processor time so far, seconds; NaN where the system does not tell. */
  get cpuSeconds(): number {
    try {
      const stat = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return NaN;
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }
}
