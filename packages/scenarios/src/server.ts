import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "./within.ts";

/** The built `karst` command. */
export const COMMAND: string = fileURLToPath(new URL("../../karst/dist/main.js", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 60_000;

export interface ServerOptions {
  readonly port: number;
  /** Arguments after `serve`: root, limits. */
  readonly args: readonly string[];
  /** Arguments of Node itself, before the command. */
  readonly nodeArgs?: readonly string[];
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A line of the broker's log: `TIME LEVEL event key=value …`. */
export interface ServerEvent {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** The real broker in a process of its own, to be killed. Its events are kept over all its lives. */
export class Server {
  readonly #options: ServerOptions;
  readonly events: ServerEvent[] = [];
  /** What it said to standard error, over all its lives. */
  readonly complaints: string[] = [];
  #process: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #kills = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get address(): string {
    return `127.0.0.1:${this.#options.port}`;
  }

  get kills(): number {
    return this.#kills;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("the broker is not running");
    return pid;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        ...(this.#options.nodeArgs ?? []),
        COMMAND,
        "serve",
        "--port",
        String(this.#options.port),
        "--log",
        "debug",
        ...this.#options.args,
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...this.#options.environment },
      },
    );
    this.#process = child;
    let tail = "";
    const remember = (line: string): void => {
      tail = `${tail}\n${line}`.slice(-4_000);
    };
    this.#exited = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    const listening = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        remember(line);
        if (line.includes(this.address)) resolve();
      });
      child.once("exit", (code, signal) => {
        reject(new Error(`the broker ended (${code ?? signal}):${tail}`));
      });
    });
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      remember(line);
      this.complaints.push(line);
      this.#keep(line);
    });
    await within(START_TIMEOUT_MS, () => `the broker listens:${tail}`, listening);
  }

  /** SIGKILL: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    this.#kills += 1;
    await this.#end("SIGKILL");
  }

  /** SIGTERM, and the exit code must be 0. */
  async stop(): Promise<void> {
    const code = await this.#end("SIGTERM");
    if (code !== 0) throw new Error(`the broker ended with ${code}`);
  }

  /** SIGSTOP: it lives, and does nothing until `thaw`. */
  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    if (this.#process === undefined) throw new Error("the broker was not started");
    return await within(END_TIMEOUT_MS, "the broker ends by itself", this.#exited);
  }

  /** Whatever its state: it does not run when this resolves. */
  async end(): Promise<void> {
    if (this.#running) await this.#end("SIGKILL");
  }

  get #running(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || !this.#running) throw new Error("the broker is not running");
    child.kill(signal);
    try {
      return await within(END_TIMEOUT_MS, `the broker ends after ${signal}`, this.#exited);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  #keep(line: string): void {
    const [, , name, ...pairs] = line.split(/\s+/);
    if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) return;
    const fields = new Map<string, string>();
    for (const pair of pairs) {
      const at = pair.indexOf("=");
      if (at > 0) fields.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.events.push({ name, fields });
  }
}

/** Below the ports that systems give to outgoing connections: those of clients must not take it while its broker is dead. */
const PORTS = { from: 20_000, below: 32_000 } as const;
const ATTEMPTS_MAX = 100;
/** Given out before, and not to be given again by this process. */
const given = new Set<number>();

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.below - PORTS.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port is free of ${PORTS.from} to ${PORTS.below}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
