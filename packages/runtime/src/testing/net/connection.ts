import type { Clock, Timer } from "../../clock.ts";
import type { Connection, ConnectionHandlers } from "../../net.ts";
import { type Random, randomInteger } from "../../random.ts";
import { POISON_BYTE } from "../../slabs.ts";

/** How long an ended connection waits for its peer to close too. */
const LINGER_MS = 1_000;

/** How a simulated connection behaves; both ends share it. */
export interface Wire {
  readonly clock: Clock;
  readonly random: Random;
  /** Each step of a chunk takes this long, uniform; none: a deferred call. */
  readonly latency: { readonly minMs: number; readonly maxMs: number } | undefined;
  /** Chunks have 1 to this many bytes. */
  readonly chunkBytesMax: number;
  /** Undelivered bytes that the receiving side holds at most. */
  readonly windowBytes: number;
  /** Queued bytes from which `write` returns false. */
  readonly highWaterBytes: number;
}

interface QueuedPart {
  readonly bytes: Uint8Array;
  sentBytes: number;
  readonly written: (() => void) | undefined;
}

type Arrival = { readonly tag: "data"; readonly chunk: Uint8Array } | { readonly tag: "end" };

/**
 * One end of an in-process connection. Bytes leave its queue in chunks, lie in the other end's inbox, and are handed to its
 * handlers one chunk at a time; a chunk is overwritten as soon as the handler returns.
 *
 * - `#queue` holds what `write` took and the wire has not: each part's bytes are read when they leave, not before.
 * - At most one `#send` and one `#deliver` are scheduled at a time, so that order is kept.
 * - Nothing is called from inside `write`, and nothing after `closed`.
 */
export class SimulatedConnection implements Connection {
  readonly peer: string;
  readonly #wire: Wire;
  #other!: SimulatedConnection;
  #handlers: ConnectionHandlers | undefined;
  #state: "open" | "ending" | "closed" = "open";
  #queue: QueuedPart[] = [];
  #queuedBytes = 0;
  #inbox: Arrival[] = [];
  #inboxBytes = 0;
  #paused = false;
  #wantsDrain = false;
  #sending = false;
  #delivering = false;
  #endSent = false;
  #endSeen = false;
  #linger: Timer | undefined;

  private constructor(wire: Wire, peer: string) {
    this.#wire = wire;
    this.peer = peer;
  }

  /** Both ends of a new connection; `accepted` is the listener's. */
  static pair(
    wire: Wire,
    addresses: { readonly client: string; readonly server: string },
  ): { readonly client: SimulatedConnection; readonly accepted: SimulatedConnection } {
    const client = new SimulatedConnection(wire, addresses.server);
    const accepted = new SimulatedConnection(wire, addresses.client);
    client.#other = accepted;
    accepted.#other = client;
    return { client, accepted };
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get started(): boolean {
    return this.#handlers !== undefined;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new TypeError("a connection can be started once");
    this.#handlers = handlers;
    this.#scheduleDelivery();
  }

  write(parts: readonly Uint8Array[], written?: () => void): boolean {
    if (this.#state !== "open" || parts.length === 0) {
      if (written !== undefined) queueMicrotask(written);
      return this.#state === "open";
    }
    for (const [i, bytes] of parts.entries()) {
      this.#queue.push({
        bytes,
        sentBytes: 0,
        written: i === parts.length - 1 ? written : undefined,
      });
      this.#queuedBytes += bytes.length;
    }
    this.#scheduleSend();
    const accepted = this.#queuedBytes < this.#wire.highWaterBytes;
    this.#wantsDrain ||= !accepted;
    return accepted;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#scheduleDelivery();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#scheduleSend();
    this.#scheduleDelivery();
  }

  destroy(): void {
    if (this.#state === "closed") return;
    const orderly = this.#queue.length === 0 && this.#inbox.length === 0;
    const other = this.#other;
    this.#die();
    this.#later(() => {
      if (!orderly) other.#die(systemError("ECONNRESET"));
      else if (!this.#endSent) other.#receive({ tag: "end" });
    });
  }

  /** The network between the two fails: both ends see a reset, and whatever was under way is lost. */
  cut(): void {
    this.#die(systemError("ECONNRESET"));
    this.#other.#die(systemError("ECONNRESET"));
  }

  /** Nobody listens at the address. */
  refuse(): void {
    this.#die(systemError("ECONNREFUSED"));
    this.#other.#die();
  }

  #scheduleSend(): void {
    if (this.#sending || this.#state === "closed") return;
    if (this.#queue.length === 0 && (this.#state === "open" || this.#endSent)) return;
    if (
      this.#queue.length > 0 &&
      !this.#other.closed &&
      this.#other.#inboxBytes >= this.#wire.windowBytes
    )
      return;
    this.#sending = true;
    this.#later(() => {
      this.#sending = false;
      if (this.#state !== "closed") this.#send();
    });
  }

  #send(): void {
    if (this.#queue.length > 0 && this.#other.closed) {
      this.#die(systemError("ECONNRESET"));
      return;
    }
    const left = this.#sendChunk();
    for (const part of left) part.written?.();
    if (this.#queue.length === 0 && this.#wantsDrain && this.#state === "open") {
      this.#wantsDrain = false;
      this.#handlers?.drain();
    }
    if (this.#queue.length === 0 && this.#state === "ending" && !this.#endSent) this.#sendEnd();
    this.#scheduleSend();
  }

  /** Moves one chunk to the other end; returns the parts that have left entirely. */
  #sendChunk(): QueuedPart[] {
    const left: QueuedPart[] = [];
    const wanted = Math.min(
      randomInteger(this.#wire.random, 1, this.#wire.chunkBytesMax),
      this.#queuedBytes,
    );
    const chunk = new Uint8Array(wanted);
    let filled = 0;
    for (let part = this.#queue[0]; part !== undefined; part = this.#queue[0]) {
      const piece = part.bytes.subarray(part.sentBytes, part.sentBytes + wanted - filled);
      chunk.set(piece, filled);
      filled += piece.length;
      part.sentBytes += piece.length;
      if (part.sentBytes < part.bytes.length) break;
      left.push(part);
      this.#queue.shift();
    }
    this.#queuedBytes -= wanted;
    if (wanted > 0) this.#other.#receive({ tag: "data", chunk });
    return left;
  }

  #sendEnd(): void {
    this.#endSent = true;
    this.#other.#receive({ tag: "end" });
    this.#linger = this.#wire.clock.setTimer(LINGER_MS, () => this.destroy());
    this.#closeWhenEnded();
  }

  #receive(arrival: Arrival): void {
    if (this.#state === "closed") return;
    this.#inbox.push(arrival);
    if (arrival.tag === "data") this.#inboxBytes += arrival.chunk.length;
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    if (this.#delivering || !this.#mayDeliver()) return;
    this.#delivering = true;
    this.#later(() => {
      this.#delivering = false;
      if (this.#mayDeliver()) this.#deliver(this.#inbox.shift() as Arrival);
      this.#scheduleDelivery();
    });
  }

  /** An end that has been ended reads on, paused or not, to see the other's end. */
  #mayDeliver(): boolean {
    if (this.#inbox.length === 0 || this.#handlers === undefined || this.#state === "closed")
      return false;
    return !this.#paused || this.#state === "ending";
  }

  #deliver(arrival: Arrival): void {
    if (arrival.tag === "end") {
      this.#endSeen = true;
      if (this.#state === "open") this.#handlers?.end();
      this.#closeWhenEnded();
      return;
    }
    this.#inboxBytes -= arrival.chunk.length;
    if (this.#state === "open") this.#handlers?.data(arrival.chunk);
    arrival.chunk.fill(POISON_BYTE);
    this.#other.#scheduleSend();
  }

  #closeWhenEnded(): void {
    if (this.#endSent && this.#endSeen) this.#die();
  }

  #die(error?: Error): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#linger?.cancel();
    const parts = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#later(() => {
      for (const part of parts) part.written?.();
      this.#handlers?.closed(error);
    });
  }

  #later(fn: () => void): void {
    const { clock, latency, random } = this.#wire;
    if (latency === undefined) {
      clock.defer(fn);
      return;
    }
    clock.setTimer(randomInteger(random, latency.minMs * 1_000, latency.maxMs * 1_000) / 1_000, fn);
  }
}

function systemError(code: "ECONNRESET" | "ECONNREFUSED"): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
