import type { Clock, Timer } from "../clock.ts";
import { nodeClock } from "../node/clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** Calls run at one virtual instant before the clock says that it will never move on. */
const CALLS_PER_INSTANT_MAX = 100_000;

/** 2024-01-01T00:00:00Z. */
const START_WALL_MS = 1_704_067_200_000;
const START_MONOTONIC_MS = 1_000;

/**
 * A clock that moves only when it is told to. Due timers run in (time, insertion) order; after each of them promise chains
 * and deferred calls run until nothing is left to do at that instant. It sees no real I/O: a chain that waits for a
 * socket, a file or zlib's thread looks idle to it.
 *
 * Invariants: monotonic time never goes back; one caller moves the clock at a time.
 */
export class ManualClock implements Clock {
  readonly #timers = new TimerQueue();
  readonly #autoDefer: boolean;
  #deferred: (() => void)[] = [];
  #elapsedMs = 0;
  #wallOffsetMs = START_WALL_MS;
  #moving = false;

  /** With `autoDefer` deferred calls run by themselves on the next real turn, so that code without timers needs no driving. */
  constructor(options: { readonly autoDefer?: boolean } = {}) {
    this.#autoDefer = options.autoDefer ?? false;
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return START_MONOTONIC_MS + this.#elapsedMs;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    if (!Number.isFinite(delayMs))
      throw new TypeError(`a timer's delay must be finite, not ${delayMs}`);
    return this.#timers.add(this.#elapsedMs + Math.max(delayMs, 0), fn);
  }

  defer(fn: () => void): void {
    if (this.#autoDefer) nodeClock.defer(fn);
    else this.#deferred.push(fn);
  }

  /** Timers neither run nor cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Deferred calls that wait for `runDeferred`, `advance` or `runUntil`. */
  get pendingDeferred(): number {
    return this.#deferred.length;
  }

  /** Sets the wall clock, as an operator or NTP would; monotonic time and timers do not notice. */
  setWall(wallMs: number): void {
    this.#wallOffsetMs = wallMs - this.#elapsedMs;
  }

  /** Moves time by `ms`, running what falls due on the way. Rejects with whatever a timer throws. */
  advance(ms: number): Promise<void> {
    return this.#move(async () => {
      const targetMs = this.#elapsedMs + ms;
      await this.#settle();
      while ((this.#timers.peekMs() ?? Infinity) <= targetMs) await this.#runNext();
      this.#elapsedMs = Math.max(this.#elapsedMs, targetMs);
      await this.#settle();
    });
  }

  /** Runs promise chains and deferred calls until nothing is left at this instant. */
  runDeferred(): Promise<void> {
    return this.#move(() => this.#settle());
  }

  /**
   * Moves time from timer to timer until `promise` settles, and returns its outcome.
   *
   * @throws Error when nothing is pending that could settle it, or when the next timer lies beyond `limitMs` (default: a day).
   */
  runUntil<T>(promise: Promise<T>, options: { readonly limitMs?: number } = {}): Promise<T> {
    const limitMs = this.#elapsedMs + (options.limitMs ?? 86_400_000);
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    const isSettled = (): boolean => settled;
    promise.then(settle, settle);
    return this.#move(async () => {
      await this.#settle(isSettled);
      while (!isSettled()) {
        const nextMs = this.#timers.peekMs();
        if (nextMs === undefined)
          throw new Error("the promise waits, and nothing is pending that could settle it");
        if (nextMs > limitMs)
          throw new Error("the promise waits still, and the next timer is due after the limit");
        await this.#runNext(isSettled);
      }
      return promise;
    });
  }

  /** Forgets every timer and deferred call: the process that set them is gone. */
  clear(): void {
    this.#timers.clear();
    this.#deferred = [];
  }

  async #move<T>(body: () => Promise<T>): Promise<T> {
    if (this.#moving) throw new TypeError("the clock is being moved already: await the first call");
    this.#moving = true;
    try {
      return await body();
    } finally {
      this.#moving = false;
    }
  }

  async #runNext(stop?: () => boolean): Promise<void> {
    this.#elapsedMs = Math.max(this.#elapsedMs, this.#timers.peekMs() ?? 0);
    const instantMs = this.#elapsedMs;
    for (let calls = 0; (this.#timers.peekMs() ?? Infinity) <= instantMs; calls += 1) {
      if (calls > CALLS_PER_INSTANT_MAX)
        throw new Error("timers keep falling due at one instant: time cannot pass");
      this.#timers.take()?.();
      await this.#settle(stop);
      if (stop?.() === true) return;
    }
  }

  /** A real turn empties every promise chain that waits for nothing outside; then come the calls deferred meanwhile. */
  async #settle(stop?: () => boolean): Promise<void> {
    for (let turns = 0; ; turns += 1) {
      if (turns > CALLS_PER_INSTANT_MAX)
        throw new Error("calls keep being deferred: time cannot pass");
      await realTurn();
      if (this.#deferred.length === 0 || stop?.() === true) return;
      const batch = this.#deferred;
      this.#deferred = [];
      for (const fn of batch) fn();
    }
  }
}

function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    nodeClock.defer(resolve);
  });
}
