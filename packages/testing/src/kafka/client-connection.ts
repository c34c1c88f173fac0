import {
  type Api,
  type ApiSpec,
  decodeResponseHeader,
  encodeRequest,
  FrameAssembler,
  type RequestInput,
  RESPONSE_FRAME_BYTES_MIN,
  type ResponseOf,
} from "@karst/kafka-protocol";
import { concatBytes, copyOf, type Timer } from "@karst/runtime";
import type { ManualClock, SimulatedConnection, SimulatedNet } from "@karst/runtime/testing";
import { LINGER_MS, PORT, REQUEST_TIMEOUT_MS } from "./limits.ts";

/** What became of a request. `lost`: the connection ended before its answer; nobody knows what was done. */
export type Answer<Response> =
  | { readonly tag: "ok"; readonly response: Response }
  | { readonly tag: "lost" };

/** What a connection tells whoever watches over all of them. */
export interface ConnectionEvents {
  readonly clock: ManualClock;
  readonly net: SimulatedNet;
  /** The broker broke the protocol. */
  violation(what: string): void;
  /** A request was not answered in time, on a connection that was not closed. */
  timedOut(api: string): void;
  /** How a connection that is given up is left: closed, or forgotten, so that what was sent may still arrive. */
  leave(): "closed" | "forgotten";
}

interface Pending {
  readonly correlationId: number;
  readonly answered: (frame: Uint8Array, bodyAt: number) => void;
  readonly lost: () => void;
  readonly headerVersion: 0 | 1;
  readonly timer: Timer;
}

/**
 * One connection of a client, which sends requests without waiting for the answers to earlier ones.
 *
 * Invariant: `#pending` are the requests that are to be answered, in the order in which they were sent; on a connection that is
 * not open there are none.
 */
export class ClientConnection {
  readonly number: number;
  readonly #events: ConnectionEvents;
  readonly #socket: SimulatedConnection;
  readonly #assembler: FrameAssembler;
  #pending: Pending[] = [];
  #correlationId: number;
  #open = true;
  #raw = false;
  #cutAfterBytes = Infinity;

  constructor(number: number, events: ConnectionEvents) {
    this.number = number;
    this.#events = events;
    // Any int32 will do, also one that wraps.
    this.#correlationId = number % 3 === 0 ? 0x7fff_fffd : (number * 1000) | 0;
    this.#assembler = new FrameAssembler({
      onFrame: (frame) => this.#receive(frame.bytes),
      reserve: () => true,
      release: () => undefined,
      frameBytesMin: RESPONSE_FRAME_BYTES_MIN,
    });
    this.#assembler.trust();
    this.#socket = events.net.connect("broker", PORT);
    this.#socket.start({
      data: (chunk) => this.#data(chunk),
      drain: () => undefined,
      end: () => this.close(),
      closed: () => this.#ended(),
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Requests that are not answered yet. */
  get unanswered(): number {
    return this.#pending.length;
  }

  /** Sends a request, and resolves with its answer. */
  request<Spec extends ApiSpec>(
    api: Api<Spec>,
    version: number,
    message: RequestInput<Spec>,
  ): Promise<Answer<ResponseOf<Spec>>> {
    if (!this.#open) return Promise.resolve({ tag: "lost" });
    const correlationId = this.#write(api, version, message);
    return new Promise((resolve) => {
      this.#pending.push({
        correlationId,
        headerVersion: api.responseHeaderVersion(version),
        answered: (frame, bodyAt) => {
          const response = api.response.decode(version, frame.subarray(bodyAt));
          resolve({ tag: "ok", response });
        },
        lost: () => resolve({ tag: "lost" }),
        timer: this.#events.clock.setTimer(REQUEST_TIMEOUT_MS, () => this.#late(api.name)),
      });
    });
  }

  /** Sends a request that has no answer. */
  tell<Spec extends ApiSpec>(api: Api<Spec>, version: number, message: RequestInput<Spec>): void {
    if (this.#open) this.#write(api, version, message);
  }

  /** Sends bytes that are not looked upon as a request: from now on answers mean nothing. */
  write(bytes: Uint8Array): void {
    this.#raw = true;
    this.#socket.write([bytes]);
  }

  /** Reads nothing for so long; Infinity: any more. */
  stall(ms: number): void {
    if (!this.#open) return;
    this.#socket.pause();
    if (ms < Infinity) this.#events.clock.setTimer(ms, () => this.#socket.resume());
  }

  /** The network fails, now or in the middle of an answer. */
  cut(afterBytes = 0): void {
    if (afterBytes > 0) this.#cutAfterBytes = afterBytes;
    else if (this.#open) this.#socket.cut();
  }

  end(): void {
    this.#socket.end();
  }

  /** Closes it. Requests under way are lost. */
  close(): void {
    this.#socket.destroy();
    this.#ended();
  }

  #write<Spec extends ApiSpec>(
    api: Api<Spec>,
    version: number,
    message: RequestInput<Spec>,
  ): number {
    const correlationId = this.#correlationId;
    this.#correlationId = (correlationId + 1) | 0;
    const header = { apiVersion: version, correlationId, clientId: `c${this.number}` };
    this.#socket.write([concatBytes(encodeRequest(api, header, message))]);
    return correlationId;
  }

  #data(chunk: Uint8Array): void {
    if (!this.#open || this.#raw) return;
    this.#assembler.push(chunk);
    this.#cutAfterBytes -= chunk.length;
    if (this.#cutAfterBytes <= 0) this.#socket.cut();
  }

  #receive(frame: Uint8Array): void {
    const pending = this.#pending.shift();
    if (pending === undefined) {
      this.#events.violation("an answer that nobody asked for");
      return;
    }
    pending.timer.cancel();
    const { correlationId, bodyAt } = decodeResponseHeader(pending.headerVersion, frame);
    if (correlationId !== pending.correlationId)
      this.#events.violation(
        `the answer to request ${correlationId} came in place of the one to ${pending.correlationId}`,
      );
    pending.answered(copyOf(frame), bodyAt);
  }

  #late(api: string): void {
    this.#events.timedOut(api);
    if (this.#events.leave() === "closed") {
      this.close();
      return;
    }
    this.#ended();
    this.#events.clock.setTimer(LINGER_MS, () => this.#socket.destroy());
  }

  #ended(): void {
    if (!this.#open) return;
    this.#open = false;
    const pending = this.#pending;
    this.#pending = [];
    for (const { timer, lost } of pending) {
      timer.cancel();
      lost();
    }
  }
}
