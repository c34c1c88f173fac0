import { isKarstError } from "@karst/runtime";
import assert from "node:assert/strict";

/** What a key has: the name of a write, or nothing. */
export type State = string | undefined;

/** A change of a key, or a sight of what it had, from its beginning to its end. */
interface Event {
  readonly state: State;
  readonly begin: number;
  end: number;
  /** It was answered: a crash must not take it back. */
  certain: boolean;
}

/**
 * What a store may hold after a crash, from what it was told and what it answered.
 *
 * A state may be there unless something certain happened wholly after the change that made it. Nothing may be there only if
 * no certain sight of an object came wholly after.
 */
export class CrashModel {
  readonly #events: Map<string, Event[]> = new Map();
  /** When an unnamed object was seen under a key. */
  readonly #sights: Map<string, number[]> = new Map();
  #time = 0;
  /** What a crash must not take back, over all keys. */
  facts = 0;

  /** Follows a change of `key` to `state`; `took` says whether an answer means that it was made. */
  async change<T>(
    key: string,
    state: State,
    call: () => Promise<T>,
    took: (answer: T) => boolean,
  ): Promise<T> {
    const event = this.#begin(key, state);
    try {
      const answer = await call();
      if (took(answer)) this.#settle(event);
      else this.#see(key, event);
      return answer;
    } catch (error) {
      if (isKarstError(error, "unavailable")) this.#remove(key, event);
      throw error;
    }
  }

  /** Follows a read of `key`. Absence is no fact: the delete that made it may not have been answered. */
  async read(key: string, call: () => Promise<State>): Promise<void> {
    const begin = this.#next();
    const state = await call();
    if (state === undefined) return;
    assert.ok(
      this.#of(key).some((event) => event.state === state),
      `${key} has ${state}, which nobody wrote`,
    );
    this.#settle(this.#begin(key, state, begin));
  }

  /** A crash: what was under way has happened by now, or never will. */
  crash(): void {
    const now = this.#next();
    for (const events of this.#events.values()) {
      for (const event of events) event.end = Math.min(event.end, now);
    }
  }

  /** Checks what a key has after a crash; an object is then the truth, absence is still no fact. */
  check(key: string, state: State): void {
    const events = this.#of(key);
    const lastSight = Math.max(-1, ...(this.#sights.get(key) ?? []));
    const lastCertain = Math.max(
      -1,
      ...events.filter(({ certain }) => certain).map(({ begin }) => begin),
    );
    const possible = [{ state: undefined, end: 0 }, ...events]
      .filter(({ end }) => end >= lastCertain)
      .filter((event) => event.state !== undefined || event.end >= lastSight)
      .map((event) => event.state);
    assert.ok(possible.includes(state), `${key} has ${state}, but may have ${possible.join(", ")}`);
    if (state === undefined) return;
    this.#events.delete(key);
    this.#sights.delete(key);
    this.#settle(this.#begin(key, state));
  }

  #begin(key: string, state: State, begin: number = this.#next()): Event {
    const event = { state, begin, end: Number.POSITIVE_INFINITY, certain: false };
    this.#events.set(key, [...this.#of(key), event]);
    return event;
  }

  #settle(event: Event): void {
    event.certain = true;
    event.end = this.#next();
    this.facts += 1;
  }

  #see(key: string, event: Event): void {
    this.#remove(key, event);
    this.#sights.set(key, [...(this.#sights.get(key) ?? []), event.begin]);
    this.facts += 1;
  }

  #remove(key: string, event: Event): void {
    this.#events.set(
      key,
      this.#of(key).filter((other) => other !== event),
    );
  }

  #of(key: string): readonly Event[] {
    return this.#events.get(key) ?? [];
  }

  #next(): number {
    this.#time += 1;
    return this.#time;
  }
}
