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
export interface ResponseSlot {
  /** `undefined`: this request has no response (acks=0). */
  settle(outgoing: Outgoing | undefined): void;
}

interface Slot {
  settled: boolean;
  outgoing: Outgoing | undefined;
}

/**
 * Responses of one connection, in the order of their requests whatever the order in which they are ready.
 *
 * Invariant: `take` hands out exactly the settled slots before the first unsettled one, each once.
 */
export class ResponseQueue {
  readonly #slots: Slot[] = [];
  #head = 0;

  /** Requests that have not been answered. */
  get unanswered(): number {
    return this.#slots.length - this.#head;
  }

  /** Whether `take` would return something. */
  get ready(): boolean {
    return this.#slots[this.#head]?.settled === true;
  }

  /** Takes the next place. `onReady` is called when settling it makes the head of the queue ready. */
  reserve(onReady: () => void): ResponseSlot {
    const slot: Slot = { settled: false, outgoing: undefined };
    this.#slots.push(slot);
    return {
      settle: (outgoing) => {
        if (slot.settled) throw new Error("a response was settled twice");
        slot.settled = true;
        slot.outgoing = outgoing;
        if (this.#slots[this.#head] === slot) onReady();
      },
    };
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
    if (this.#head === this.#slots.length || this.#head > FORGOTTEN_SLOTS) {
      this.#slots.splice(0, this.#head);
      this.#head = 0;
    }
    return ready;
  }
}
