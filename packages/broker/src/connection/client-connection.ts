import {
  apiVersionsApi,
  encodeUnsupportedApiVersions,
  FrameAssembler,
  type Frame,
  openRequest,
  REQUEST_FRAME_BYTES_MIN,
} from "@karst/kafka-protocol";
import { type Connection, copyOf } from "@karst/runtime";
import type { BrokerContext } from "../handlers/handler.ts";
import { errorMessageOf } from "../kafka-errors.ts";
import type { RequestMemory } from "../request-memory.ts";
import { type Answer, findRoute, type Route } from "../router.ts";
import type { Joiner } from "./joiner.ts";
import { type Outgoing, outgoingOf, ResponseQueue, type ResponseSlot } from "./response-queue.ts";

/** Responses up to this many bytes in all leave as one array: a socket write costs more per part than per byte. */
const JOINED_BYTES_MAX = 64 * 1024;

export interface ClientConnectionOptions {
  readonly socket: Connection;
  readonly broker: BrokerContext;
  readonly memory: RequestMemory;
  readonly joiner: Joiner;
  /** Asks for one call of `flush` at the end of this turn. */
  readonly scheduleFlush: (connection: ClientConnection) => void;
  readonly onClosed: (connection: ClientConnection) => void;
}

/** Puts the outcome of one request into its slot. */
class SlotAnswer implements Answer {
  readonly #slot: ResponseSlot;
  readonly #api: string;
  readonly #onFailed: (api: string, error: unknown) => void;

  constructor(slot: ResponseSlot, api: string, onFailed: (api: string, error: unknown) => void) {
    this.#slot = slot;
    this.#api = api;
    this.#onFailed = onFailed;
  }

  ready(outgoing: Outgoing | undefined): void {
    this.#slot.settle(outgoing);
  }

  failed(error: unknown): void {
    this.#slot.settle(undefined);
    this.#onFailed(this.#api, error);
  }
}

/**
 * One client's connection: cuts frames, starts requests in order, sends responses in the same order.
 *
 * Invariants: a request starts only after all before it were admitted. Reading is paused while a frame waits to start, too many
 * requests are unanswered, the client does not take its responses, or memory is crowded and no frame has begun; so what one
 * connection holds is bounded. Every frame's reservation is given back once, every `written` is called once.
 */
export class ClientConnection {
  readonly #socket: Connection;
  readonly #broker: BrokerContext;
  readonly #memory: RequestMemory;
  readonly #scheduleFlush: (connection: ClientConnection) => void;
  readonly #onClosed: (connection: ClientConnection) => void;
  readonly #assembler: FrameAssembler;
  readonly #joiner: Joiner;
  readonly #responses = new ResponseQueue(() => this.#scheduleFlush(this));
  /** Whole frames that came while an earlier request was not admitted. Owned. */
  readonly #waiting: Uint8Array[] = [];
  readonly #closeListeners = new Set<() => void>();
  #admitting = false;
  #closed = false;
  /** The client sends no more: close when it has its answers. */
  #ending = false;
  #reading = true;
  #outgoingBytes = 0;
  #leaveThinning: (() => void) | undefined;
  #lastRequestMs: number;
  #frameBeganMs: number | undefined;
  #sendBeganMs: number | undefined;

  constructor(options: ClientConnectionOptions) {
    this.#socket = options.socket;
    this.#broker = options.broker;
    this.#memory = options.memory;
    this.#joiner = options.joiner;
    this.#scheduleFlush = options.scheduleFlush;
    this.#onClosed = options.onClosed;
    this.#lastRequestMs = this.#nowMs();
    this.#assembler = new FrameAssembler({
      onFrame: (frame) => this.#receive(frame),
      reserve: (bytes) => this.#memory.tryReserve(bytes),
      release: (bytes) => this.#memory.release(bytes),
      frameBytesMin: REQUEST_FRAME_BYTES_MIN,
      frameBytesMax: options.broker.limits.frameBytesMax,
      untrustedFrameBytesMax: options.broker.limits.firstFrameBytesMax,
    });
    this.#socket.start({
      data: (chunk) => this.#data(chunk),
      drain: () => undefined,
      end: () => this.#ended(),
      closed: () => this.#close(),
    });
  }

  /** Sends, as one write, every response whose turn it is. */
  flush(): void {
    const ready = this.#responses.take();
    if (ready.length === 0) return;
    if (this.#closed) {
      for (const outgoing of ready) outgoing.written?.();
      return;
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const outgoing of ready) {
      for (const part of outgoing.parts) parts.push(part);
      bytes += outgoing.bytes;
    }
    this.#outgoingBytes += bytes;
    this.#sendBeganMs ??= this.#nowMs();
    const whole =
      parts.length > 1 && bytes <= JOINED_BYTES_MAX ? [this.#joiner.join(parts, bytes)] : parts;
    this.#socket.write(whole, () => this.#written(ready, bytes));
    this.#proceed();
    this.#endIfAnswered();
  }

  /** Closes a connection that is idle, or whose client stalls in the middle of a frame. */
  sweep(): void {
    const { transferTimeoutMs, idleTimeoutMs } = this.#broker.limits;
    const nowMs = this.#nowMs();
    const late = (beganMs: number | undefined): boolean =>
      beganMs !== undefined && nowMs - beganMs > transferTimeoutMs;
    if (late(this.#frameBeganMs)) this.#abort("request frame did not arrive in time");
    else if (late(this.#sendBeganMs)) this.#abort("client does not take its responses");
    else if (this.#responses.unanswered === 0 && nowMs - this.#lastRequestMs > idleTimeoutMs)
      this.#abort("idle");
  }

  /** Closes now; what is unanswered stays so. */
  destroy(): void {
    this.#socket.destroy();
  }

  #nowMs(): number {
    return this.#broker.runtime.clock.monotonicMs();
  }

  #data(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#lastRequestMs = this.#nowMs();
    try {
      this.#assembler.push(chunk);
    } catch (error) {
      this.#abort(errorMessageOf(error));
      return;
    }
    if (!this.#assembler.midFrame) this.#frameBeganMs = undefined;
    else this.#frameBeganMs ??= this.#nowMs();
    this.#updateReading();
  }

  #receive(frame: Frame): void {
    this.#frameBeganMs = undefined;
    if (this.#closed) {
      if (frame.held === "owned") this.#memory.release(frame.bytes.length);
      return;
    }
    if (this.#mayStart() && this.#waiting.length === 0) {
      this.#start(frame.bytes, frame.held === "owned" ? frame.bytes.length : 0);
      return;
    }
    if (frame.held === "owned") {
      this.#waiting.push(frame.bytes);
    } else if (this.#memory.tryReserve(frame.bytes.length)) {
      this.#waiting.push(copyOf(frame.bytes));
    } else {
      this.#abort("no memory for a request that has to wait");
    }
  }

  #mayStart(): boolean {
    const { requestsInFlightMax, responseBytesMax } = this.#broker.limits;
    return (
      !this.#admitting &&
      this.#responses.unanswered < requestsInFlightMax &&
      this.#outgoingBytes <= responseBytesMax
    );
  }

  /** Starts what waits, as far as it may. */
  #proceed(): void {
    while (!this.#closed && this.#mayStart()) {
      const frame = this.#waiting.shift();
      if (frame === undefined) break;
      this.#start(frame, frame.length);
    }
    this.#updateReading();
  }

  /** Begins one request; `reservedBytes` are given back once its bytes are not needed. */
  #start(frame: Uint8Array, reservedBytes: number): void {
    let admitted: Promise<void> | undefined;
    try {
      const opened = openRequest(frame);
      if (opened.tag !== "request") {
        const { apiKey, apiVersion, correlationId } = opened.prefix;
        if (opened.tag === "unsupported version" && apiKey === apiVersionsApi.key) {
          this.#answerUnknownApiVersions(correlationId);
        } else {
          this.#abort(`api ${apiKey} version ${apiVersion} is not served`);
        }
        return;
      }
      const { header, body } = opened;
      const route = findRoute(header.apiKey, header.apiVersion);
      if (route === undefined) {
        this.#abort(`${opened.api.name} version ${header.apiVersion} is not served`);
        return;
      }
      admitted = this.#run(route, header, body);
      this.#assembler.trust();
    } catch (error) {
      this.#abort(errorMessageOf(error));
    } finally {
      if (admitted === undefined) this.#memory.release(reservedBytes);
    }
    if (admitted === undefined) return;
    this.#admitting = true;
    const onAdmitted = (): void => {
      this.#memory.release(reservedBytes);
      this.#admitting = false;
      this.#proceed();
    };
    admitted.then(onAdmitted, onAdmitted);
  }

  #run(
    route: Route,
    header: {
      readonly apiVersion: number;
      readonly correlationId: number;
      readonly clientId: string | null;
    },
    body: Uint8Array,
  ): Promise<void> | undefined {
    const { apiVersion: version, clientId, correlationId } = header;
    const { peer } = this.#socket;
    const context = { version, clientId, correlationId, peer, onClosed: this.#onClose };
    const answer = new SlotAnswer(this.#responses.reserve(), route.name, this.#onRequestFailed);
    return route.run(this.#broker, body, context, answer);
  }

  readonly #onClose = (listener: () => void): (() => void) => this.#addCloseListener(listener);

  readonly #onRequestFailed = (api: string, error: unknown): void => {
    this.#broker.log.warn("request-failed", {
      api,
      peer: this.#socket.peer,
      reason: String(error),
    });
    this.destroy();
  };

  #answerUnknownApiVersions(correlationId: number): void {
    this.#responses.reserve().settle(outgoingOf(encodeUnsupportedApiVersions(correlationId)));
  }

  #addCloseListener(listener: () => void): () => void {
    if (this.#closed) {
      listener();
      return () => undefined;
    }
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  #written(sent: readonly Outgoing[], bytes: number): void {
    this.#outgoingBytes -= bytes;
    this.#sendBeganMs = this.#outgoingBytes > 0 ? this.#nowMs() : undefined;
    for (const outgoing of sent) outgoing.written?.();
    this.#proceed();
  }

  #updateReading(): void {
    if (this.#closed) return;
    const crowded = this.#memory.crowded && !this.#assembler.midFrame;
    const reading = this.#waiting.length === 0 && this.#mayStart() && !crowded;
    if (crowded) this.#leaveThinning ??= this.#memory.whenThinned(() => this.#thinned());
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  #thinned(): void {
    this.#leaveThinning = undefined;
    this.#updateReading();
  }

  #ended(): void {
    this.#ending = true;
    if (this.#assembler.midFrame) this.#abort("connection ended inside a frame");
    else this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    if (this.#ending && this.#waiting.length === 0 && this.#responses.unanswered === 0)
      this.#socket.end();
  }

  #abort(reason: string): void {
    if (this.#closed) return;
    this.#broker.log.info("connection-aborted", { peer: this.#socket.peer, reason });
    this.destroy();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#assembler.close();
    this.#leaveThinning?.();
    for (const frame of this.#waiting.splice(0)) this.#memory.release(frame.length);
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    for (const listener of listeners) listener();
    this.flush();
    this.#onClosed(this);
  }
}
