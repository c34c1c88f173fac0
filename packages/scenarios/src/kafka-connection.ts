import { RESPONSE_FRAME_BYTES_MIN } from "@karst/kafka-protocol";
import { concatBytes } from "@karst/runtime";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { trustedFrames } from "./trusted-frames.ts";
import { within } from "./within.ts";

const PATIENCE_MS = 5_000;

/** What a broker did with a request, before anything is decoded. */
export type RawOutcome =
  | { readonly tag: "answer"; readonly frame: Uint8Array }
  /** It closed the connection. */
  | { readonly tag: "closed" }
  /** It answered a later request of the connection, and not this one. */
  | { readonly tag: "nothing" }
  /** Neither, for as long as anybody would wait. */
  | { readonly tag: "no answer in time" };

/** One connection to a broker, opened again where the broker has closed it. Frames go out as they are given. */
export class KafkaConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  readonly #frames: Uint8Array[] = [];
  #wake: () => void = () => undefined;
  #closed = true;
  #correlationId = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** The next id, unique on this connection. */
  nextCorrelationId(): number {
    this.#correlationId += 1;
    return this.#correlationId;
  }

  async send(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#closed) await this.#open();
    this.#socket?.write(concatBytes(parts));
  }

  /** What came of the request with that id: everything before it was received. A frame of another id is `nothing` for this one. */
  async receive(correlationId: number, patienceMs: number = PATIENCE_MS): Promise<RawOutcome> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const frame = this.#frames[0];
      if (frame !== undefined) {
        const id = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
        if (id > correlationId) return { tag: "nothing" };
        this.#frames.shift();
        if (id === correlationId) return { tag: "answer", frame };
        continue;
      }
      if (this.#closed) return { tag: "closed" };
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        // Later answers would have to wait for this one.
        this.close();
        return { tag: "no answer in time" };
      }
      await this.#arrival(leftMs);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#closed = true;
  }

  async #arrival(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #open(): Promise<void> {
    this.#frames.length = 0;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    const frames = trustedFrames(RESPONSE_FRAME_BYTES_MIN, (frame) => {
      this.#frames.push(frame);
      this.#wake();
    });
    socket.on("error", () => undefined);
    await within(PATIENCE_MS, `port ${this.#port} is connected to`, once(socket, "connect"));
    this.#closed = false;
    this.#socket = socket;
    socket.on("data", (chunk) => frames.push(chunk));
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#closed = true;
      this.#wake();
    });
  }
}
