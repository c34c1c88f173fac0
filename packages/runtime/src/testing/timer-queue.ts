import type { Timer } from "../clock.ts";

/** One pending call; `fn` is dropped when it is cancelled or has been taken. */
class QueuedTimer implements Timer {
  readonly dueMs: number;
  readonly order: number;
  fn: (() => void) | undefined;
  readonly #cancelled: () => void;

  constructor(dueMs: number, order: number, fn: () => void, cancelled: () => void) {
    this.dueMs = dueMs;
    this.order = order;
    this.fn = fn;
    this.#cancelled = cancelled;
  }

  cancel(): void {
    if (this.fn === undefined) return;
    this.fn = undefined;
    this.#cancelled();
  }
}

/**
 * Pending timers in (due time, insertion) order: a binary heap.
 *
 * Invariant: cancelled timers stay in the heap until they come up or outnumber the live ones.
 */
export class TimerQueue {
  #heap: QueuedTimer[] = [];
  #live = 0;
  #order = 0;

  /** Timers that have neither run nor been cancelled. */
  get length(): number {
    return this.#live;
  }

  add(dueMs: number, fn: () => void): Timer {
    const timer = new QueuedTimer(dueMs, this.#order, fn, () => this.#forget());
    this.#order += 1;
    this.#live += 1;
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return timer;
  }

  /** When the first timer is due. */
  peekMs(): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.fn === undefined) this.#removeTop();
    return this.#heap[0]?.dueMs;
  }

  /** Takes the first timer out, whenever it is due. */
  take(): (() => void) | undefined {
    if (this.peekMs() === undefined) return undefined;
    const timer = this.#removeTop();
    const fn = timer.fn;
    timer.fn = undefined;
    this.#live -= 1;
    return fn;
  }

  clear(): void {
    for (const timer of this.#heap) timer.fn = undefined;
    this.#heap = [];
    this.#live = 0;
  }

  #forget(): void {
    this.#live -= 1;
    if (this.#heap.length < 64 || this.#live * 2 > this.#heap.length) return;
    this.#heap = this.#heap
      .filter((timer) => timer.fn !== undefined)
      .toSorted((a, b) => (before(a, b) ? -1 : 1));
  }

  #removeTop(): QueuedTimer {
    const top = this.#heap[0] as QueuedTimer;
    const last = this.#heap.pop() as QueuedTimer;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child =
        right < this.#heap.length && before(this.#at(right), this.#at(left)) ? right : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const a = this.#at(child);
    const b = this.#at(parent);
    if (!before(a, b)) return false;
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }

  #at(index: number): QueuedTimer {
    return this.#heap[index] as QueuedTimer;
  }
}

function before(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs;
}
