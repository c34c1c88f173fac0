import type { Clock, Timer } from "@karst/runtime";

interface Session {
  timeoutMs: number;
  /** On the monotonic clock. */
  deadlineMs: number;
  /** When the timer is due; at most the deadline. */
  timerDueMs: number;
  timer: Timer;
}

/** A timer that comes later than this says that the process, not its clients, was silent. */
const STALL_MS = 2_000;

/**
 * The sessions of one group's members.
 *
 * A heartbeat moves a deadline and no timer: a timer that comes too early is set again. After a stall of the whole process the sessions
 * begin anew, since what clients have sent meanwhile has not been read.
 *
 * Invariant: each session has one timer, due no later than its deadline.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #onExpired: (memberId: string) => void;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, onExpired: (memberId: string) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** Begins the session anew. */
  start(memberId: string, timeoutMs: number): void {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    const known = this.#sessions.get(memberId);
    if (known !== undefined && known.timerDueMs <= deadlineMs) {
      known.deadlineMs = deadlineMs;
      known.timeoutMs = timeoutMs;
      return;
    }
    known?.timer.cancel();
    this.#arm(memberId, timeoutMs, deadlineMs);
  }

  stop(memberId: string): void {
    this.#sessions.get(memberId)?.timer.cancel();
    this.#sessions.delete(memberId);
  }

  stopAll(): void {
    for (const { timer } of this.#sessions.values()) timer.cancel();
    this.#sessions.clear();
  }

  #arm(memberId: string, timeoutMs: number, deadlineMs: number): void {
    const delayMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
    const timer = this.#clock.setTimer(delayMs, () => this.#due(memberId));
    this.#sessions.set(memberId, { timeoutMs, deadlineMs, timerDueMs: deadlineMs, timer });
  }

  #due(memberId: string): void {
    const session = this.#sessions.get(memberId);
    if (session === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const stalled = nowMs - session.timerDueMs > STALL_MS;
    const deadlineMs = stalled ? nowMs + session.timeoutMs : session.deadlineMs;
    if (deadlineMs > nowMs) {
      this.#arm(memberId, session.timeoutMs, deadlineMs);
      return;
    }
    this.#sessions.delete(memberId);
    this.#onExpired(memberId);
  }
}
