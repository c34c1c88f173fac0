import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "../within.ts";
import type { Report, Start } from "./protocol.ts";

/** Built output, also for a test that runs the sources: Node cannot run those. */
const VICTIM = fileURLToPath(new URL("../../dist/real/victim.js", import.meta.url));

const LOADING_TIMEOUT_MS = 60_000;
const DEATH_TIMEOUT_MS = 60_000;

export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LifeOptions {
  /** Before the program: of Node. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One process, from its start to its death. It waits, with everything loaded, until it is told where to begin. */
export class Life {
  readonly #child: ChildProcess;
  #listener: (report: Report) => void = () => undefined;
  #complaints = "";
  #isReady: () => void = () => undefined;
  readonly #loaded: Promise<void>;
  /** Resolves once it is dead and everything that it said has been heard. */
  readonly dead: Promise<Death>;

  constructor({ nodeArgs = [], env = {} }: LifeOptions = {}) {
    const child = spawn(process.execPath, [...nodeArgs, VICTIM], {
      stdio: ["pipe", "pipe", "pipe"],
      // Its working directory must not keep a file system from being unmounted.
      cwd: "/",
      env: { ...process.env, NODE_OPTIONS: "", ...env },
    });
    this.#child = child;
    this.#loaded = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    child.stdin?.on("error", () => undefined);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
    if (child.stdout === null) throw new TypeError("standard output is a pipe");
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      const report = parse(line);
      if (report?.tag === "ready") this.#isReady();
      else if (report !== undefined) this.#listener(report);
    });
    const heard = new Promise<void>((resolve) => lines.once("close", resolve));
    const closed = new Promise<Death>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.dead = Promise.all([closed, heard]).then(([death]) => death);
    this.dead.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process could not be started");
    return this.#child.pid;
  }

  /**
   * Resolves when everything is loaded: nothing but its task is left to be done.
   *
   * @throws Error where it is dead before, or not loaded in time.
   */
  async ready(): Promise<void> {
    const died = this.dead.then(({ code, signal }) => {
      throw new Error(`the process ended with ${code ?? signal}: ${this.#complaints}`);
    });
    const loaded = Promise.race([this.#loaded, died]);
    await within(LOADING_TIMEOUT_MS, () => `a process is ready; ${this.#complaints}`, loaded);
  }

  /** What it said to standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  begin(start: Start, listener: (report: Report) => void): void {
    this.#listener = listener;
    this.#child.stdin?.write(`${JSON.stringify(start)}\n`);
  }

  /** At once; also where it is dead already. */
  async kill(): Promise<Death> {
    this.#child.kill("SIGKILL");
    return await within(DEATH_TIMEOUT_MS, "a killed process is dead", this.dead);
  }
}

/** Undefined: the end of what a process could say of it. What such a line was to announce has not happened. */
function parse(line: string): Report | undefined {
  try {
    return JSON.parse(line) as Report;
  } catch {
    return undefined;
  }
}
