import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { sharedUs } from "../../shared-clock.ts";
import type { CommitMode, DriverEvent, Place, Position, ReadRecord } from "../events.ts";

/** Of a member that commits often: after so many records, and so long after the last of them. */
const COMMIT_EVERY = 20;
const COMMIT_AFTER_MS = 100;
const GATE_POLL_MS = 50;
const FULL_PIPE_POLL_MS = 5;
const STDOUT = 1;

export interface TellerOptions {
  readonly commit: CommitMode;
  /** No record is taken before `open`. */
  readonly gated: boolean;
  /** After so many records nothing is done any more, with the last of them not committed; 0: never. */
  readonly hangAfter: number;
}

/**
 * Tells what happens to a member of a group, in the order in which it happens and each before what follows from it, and knows
 * where the member stands.
 *
 * Invariants: `#next` has only partitions that the member has; one commit is on its way at a time.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #send: (positions: readonly Position[]) => Promise<void>;
  readonly #held = new Map<string, Place>();
  readonly #next = new Map<string, Position>();
  #isOpen: boolean;
  #isEnding = false;
  #told = 0;
  #uncommitted = 0;
  #committing: Promise<void> = Promise.resolve();
  #epoch = 0;
  #release: () => void = () => undefined;
  #soon: NodeJS.Timeout | undefined;

  /** @param send commits. */
  constructor(options: TellerOptions, send: (positions: readonly Position[]) => Promise<void>) {
    this.#options = options;
    this.#send = send;
    this.#isOpen = !options.gated;
  }

  open(): void {
    this.#isOpen = true;
  }

  /** Resolves when records may be taken. @param heartbeat what the client has to do meanwhile. */
  async opened(heartbeat: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    while (!this.#isOpen) {
      await heartbeat();
      await delay(GATE_POLL_MS);
    }
  }

  /** Grows with every change of what it has: a batch that was begun before is nobody's. */
  get epoch(): number {
    return this.#epoch;
  }

  has(...place: Place): boolean {
    return this.#held.has(nameOf(place));
  }

  get hasNothing(): boolean {
    return this.#held.size === 0;
  }

  /** Beside what it has. */
  assigned(partitions: readonly Place[], memberId?: string): void {
    this.#epoch += 1;
    for (const place of partitions) this.#held.set(nameOf(place), place);
    tell({ event: "assigned", partitions, ...(memberId === undefined ? {} : { memberId }) });
  }

  revoked(partitions: readonly Place[]): void {
    this.#epoch += 1;
    this.#release();
    for (const place of partitions) {
      this.#held.delete(nameOf(place));
      this.#next.delete(nameOf(place));
    }
    tell({ event: "revoked", partitions });
  }

  /** All that it has. */
  revokedAll(): void {
    if (this.#held.size > 0) this.revoked([...this.#held.values()]);
  }

  confirmed(memberId: string, generation: number): void {
    tell({ event: "confirmed", memberId, generation });
  }

  /** Resolves when the next one may be taken, or something was revoked meanwhile. */
  async record(record: ReadRecord): Promise<void> {
    tell({ event: "record", ...record });
    this.#told += 1;
    if (this.#told === this.#options.hangAfter) hang();
    const { topic, partition, offset } = record;
    const name = nameOf([topic, partition]);
    if (this.#held.has(name)) this.#next.set(name, { topic, partition, offset: offset + 1 });
    if (this.#options.commit !== "often" || this.#isEnding) return;
    this.#uncommitted += 1;
    clearTimeout(this.#soon);
    if (this.#uncommitted >= COMMIT_EVERY) {
      const revoked = new Promise<void>((resolve) => {
        this.#release = resolve;
      });
      await Promise.race([this.#commitSome(), revoked]);
    } else this.#soon = setTimeout(() => void this.#commitSome(), COMMIT_AFTER_MS);
  }

  /** Commits what has been told so far. */
  async commit(): Promise<void> {
    const positions = [...this.#next.values()];
    if (this.#options.commit !== "never" && positions.length > 0) await this.#send(positions);
    this.committed();
  }

  committed(positions?: readonly Position[]): void {
    tell({ event: "committed", ...(positions === undefined ? {} : { positions }) });
  }

  /** Resolves when nothing is on its way. What is told after it is not committed: the member is about to leave. */
  async end(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#soon);
    if (this.#uncommitted > 0) await this.#commitSome();
    await this.#committing;
  }

  #commitSome(): Promise<void> {
    this.#uncommitted = 0;
    this.#committing = this.#committing.then(async () => {
      const positions = [...this.#next.values()];
      if (positions.length === 0) return;
      tell({ event: "committing", positions });
      try {
        await this.#send(positions);
      } catch (error) {
        // The group has gone on without it, or the broker has died: the next commit says more.
        process.stderr.write(`not committed: ${String(error)}\n`);
        return;
      }
      tell({ event: "committed", positions });
    });
    return this.#committing;
  }
}

/**
 * What was told before a kill, or before the next request, has been told: the thread waits until the line is out. `process.stdout` would
 * keep what does not fit into the pipe.
 */
export function tell(event: DriverEvent): void {
  let rest = Buffer.from(`${JSON.stringify({ ...event, atUs: sharedUs() })}\n`);
  while (rest.length > 0) rest = rest.subarray(written(rest));
}

/** @returns how many of the bytes are out. */
function written(bytes: Buffer): number {
  try {
    return writeSync(STDOUT, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    block(FULL_PIPE_POLL_MS);
    return 0;
  }
}

/** Blocks the thread for good. */
function hang(): never {
  tell({ event: "hangs" });
  block(Infinity);
  throw new Error("nobody wakes it");
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function nameOf([topic, partition]: Place): string {
  return `${topic}/${partition}`;
}
