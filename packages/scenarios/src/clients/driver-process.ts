import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "../within.ts";
import type { Launch } from "./client.ts";
import type { DriverEvent } from "./events.ts";

/** Of what a driver says to standard error, so much is kept for an error's message. */
const COMPLAINT_CHARS_MAX = 2_000;
const DEATH_TIMEOUT_MS = 30_000;

/** A driver in a process group of its own, to be frozen and killed with its children. */
export class DriverProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #onEvent: (event: DriverEvent, atUs: number) => void;
  #complaints = "";
  #killed = false;
  #mayEnd = false;
  #frozen = false;
  #hasEnded = false;

  /**
   * @param onEvent gets every event but `failed`, also those that were on their way at a `kill`, with its `sharedUs`, where the driver
   * tells it. What it throws is the failure.
   */
  constructor(
    name: string,
    launch: Launch,
    args: readonly string[],
    onEvent: (event: DriverEvent, atUs: number) => void,
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
        this.#hasEnded = true;
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

  /** It is gone, and everything that it said has been heard. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** What it said to standard error. */
  get complaints(): string {
    return this.#complaints;
  }

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
    try {
      await within(timeoutMs, "it ends", this.#closed);
    } catch (error) {
      this.failure ??= this.#error((error as Error).message);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** SIGSTOP: it lives, and does nothing until `thaw`. */
  freeze(): void {
    this.#frozen = true;
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#frozen = false;
    this.#signal("SIGCONT");
  }

  /** SIGKILL to it and its children. All that it said has been heard when this resolves. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#signal("SIGKILL");
    await within(DEATH_TIMEOUT_MS, `${this.#name} is dead`, this.#closed);
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
  }

  #end(): void {
    this.#hasEnded = true;
    if (this.#killed) return;
    const code = this.#child.exitCode ?? this.#child.signalCode;
    if (code !== 0 || !this.#mayEnd) this.failure ??= this.#error(`ended with ${code}`);
  }

  #take(line: string): void {
    let said: DriverEvent & { readonly atUs?: number };
    try {
      said = JSON.parse(line) as typeof said;
    } catch {
      // The beginning of a line is all that is left of some deaths.
      if (!this.#killed) this.failure ??= this.#error(`printed ${line.slice(0, 200)}`);
      return;
    }
    const { atUs = 0, ...rest } = said;
    const event = rest as DriverEvent;
    if (event.event === "failed") {
      this.failure ??= this.#error(event.message);
      return;
    }
    try {
      this.#onEvent(event, atUs);
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  #error(what: string): Error {
    return new Error(`${this.#name}: ${what}\n${this.#complaints}`.trim());
  }
}
