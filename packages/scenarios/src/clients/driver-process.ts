import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Launch } from "./client.ts";
import type { DriverEvent } from "./events.ts";

/** Of what a driver says to standard error, so much is kept for an error's message. */
const COMPLAINT_CHARS_MAX = 2_000;

/** A driver in a process group of its own, to be killed with its children. */
export class DriverProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #onEvent: (event: DriverEvent) => void;
  #complaints = "";
  #killed = false;
  #mayEnd = false;

  /** @param onEvent gets every event but `failed`, and nothing after `kill`. */
  constructor(
    name: string,
    launch: Launch,
    args: readonly string[],
    onEvent: (event: DriverEvent) => void,
  ) {
    this.#name = name;
    this.#onEvent = onEvent;
    this.#child = spawn(launch.command, [...launch.args, ...args], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...launch.env },
    });
    this.#closed = once(this.#child, "close").then(
      () => this.#end(),
      (error: unknown) => {
        this.failure ??= this.#error(String(error));
      },
    );
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = `${this.#complaints}${text}`.slice(-COMPLAINT_CHARS_MAX);
    });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => this.#take(line));
  }

  /** Set by the first `failed` event, or an exit that nobody asked for. */
  failure: Error | undefined;

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Called once it is gone, for whatever reason; `failure` says which, if it is one. */
  onEnd(listener: () => void): void {
    this.#closed.then(listener, listener);
  }

  /** Resolves when it has ended by itself with 0. @throws Error with what it said, or that it still runs after so long. */
  async ended(timeoutMs: number): Promise<void> {
    this.#mayEnd = true;
    let late: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      late = setTimeout(() => {
        this.failure ??= this.#error(`has not ended within ${timeoutMs / 1_000} s`);
        resolve();
      }, timeoutMs);
    });
    await Promise.race([this.#closed, timeout]);
    clearTimeout(late);
    if (this.failure !== undefined) throw this.failure;
  }

  /** SIGKILL to it and its children. */
  async kill(): Promise<void> {
    this.#killed = true;
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null)
      process.kill(-pid, "SIGKILL");
    await this.#closed;
  }

  #end(): void {
    if (this.#killed) return;
    const code = this.#child.exitCode ?? this.#child.signalCode;
    if (code !== 0 || !this.#mayEnd) this.failure ??= this.#error(`ended with ${code}`);
  }

  #take(line: string): void {
    if (this.#killed) return;
    let event: DriverEvent;
    try {
      event = JSON.parse(line) as DriverEvent;
    } catch {
      this.failure ??= this.#error(`printed ${line.slice(0, 200)}`);
      return;
    }
    if (event.event === "failed") this.failure ??= this.#error(event.message);
    else this.#onEvent(event);
  }

  #error(what: string): Error {
    return new Error(`${this.#name}: ${what}\n${this.#complaints}`.trim());
  }
}
