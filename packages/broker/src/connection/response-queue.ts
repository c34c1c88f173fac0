/** Taken slots are dropped in runs of this many, or when all are taken. */
const FORGOTTEN_SLOTS = 256;

/** What goes out for one request: frames' bytes in order, borrowed until `written` is called. */
export interface Outgoing {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** Called once, when the bytes have left or never will. */
  readonly written?: () => void;
}

export function outgoingOf(parts: readonly Uint8Array[], written?: () => void): Outgoing {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return written === undefined ? { parts, bytes } : { parts, bytes, written };
}

/** A place in the order of responses; settled once. */
export class ResponseSlot {
  readonly #queue: ResponseQueue;
  #settled = false;
  #outgoing: Outgoing | undefined;

  constructor(queue: ResponseQueue) {
    this.#queue = queue;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get outgoing(): Outgoing | undefined {
    return this.#outgoing;
  }

  /** `undefined`: this request has no response (acks=0). */
  settle(outgoing: Outgoing | undefined): void {
    if (this.#settled) throw new Error("a response was settled twice");
    this.#settled = true;
    this.#outgoing = outgoing;
    this.#queue.settled(this);
  }
}

/**
 * Responses of one connection, in the order of their requests whatever the order in which they are ready.
 *
 * Invariant: `take` hands out exactly the settled slots before the first unsettled one, each once.
 */
export class ResponseQueue {
  readonly #onReady: () => void;
  readonly #slots: ResponseSlot[] = [];
  #head = 0;

  /** `onReady` is called when the head of the queue becomes ready. */
  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  /** Requests that have not been answered. */
  get unanswered(): number {
    return this.#slots.length - this.#head;
  }

  /** Takes the next place. */
  reserve(): ResponseSlot {
    const slot = new ResponseSlot(this);
    this.#slots.push(slot);
    return slot;
  }

  /** For the slots alone. */
  settled(slot: ResponseSlot): void {
    if (this.#slots[this.#head] === slot) this.#onReady();
  }

  /** All that may be sent now, in order. */
  take(): Outgoing[] {
    const ready: Outgoing[] = [];
    for (;;) {
      const slot = this.#slots[this.#head];
      if (slot === undefined || !slot.settled) break;
      this.#head += 1;
      if (slot.outgoing !== undefined) ready.push(slot.outgoing);
    }
    if (this.#head === this.#slots.length) {
      this.#slots.length = 0;
      this.#head = 0;
    } else if (this.#head > FORGOTTEN_SLOTS) {
      this.#slots.splice(0, this.#head);
      this.#head = 0;
    }
    return ready;
  }
}
