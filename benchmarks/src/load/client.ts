import { connect, type Socket } from "node:net";
import { ErrorCode } from "@karst/kafka-protocol";
import { crc32c, getInt64, setInt64, viewOf } from "@karst/runtime";
import { quantile } from "../measure/figures.ts";
import { Frames } from "./frames.ts";
import type { LoadOutcome, LoadRequest } from "./load.ts";
import { ACKNOWLEDGEMENT, greeting, produceRequest } from "./requests.ts";

/*
 * A process that sends Produce requests as told by its parent, one round per message: encoded once, and sent again as soon as answered.
 */

process.on("message", (request: LoadRequest) => {
  run(request).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => process.send?.({ error: String(error) } satisfies LoadOutcome),
  );
});

async function run(request: LoadRequest): Promise<LoadOutcome> {
  const each = Math.ceil(request.requests / request.connections);
  const producers = await Promise.all(
    Array.from({ length: request.connections }, (_, i) => Producer.connect(request, i, each)),
  );
  const beganMs = performance.now();
  await Promise.all(producers.map((producer) => producer.run()));
  const seconds = (performance.now() - beganMs) / 1_000;
  const latencies = producers.flatMap((producer) => producer.latenciesMs).sort((a, b) => a - b);
  let offsets = 0;
  let refused = 0;
  for (const producer of producers) {
    offsets += producer.offsets;
    refused += producer.refused;
    producer.close();
  }
  const sum = new Uint8Array(16);
  setInt64(viewOf(sum), 0, each * request.connections);
  setInt64(viewOf(sum), 8, offsets);
  return {
    perSecond: (each * request.connections) / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    checksum: crc32c(sum),
    refused,
  };
}

const REFUSED_PAUSE_MS = 5;

/** One connection with `depth` requests in flight. */
class Producer {
  readonly latenciesMs: number[] = [];
  /** Sum of the base offsets that were given, relative to the first of the partition in this round. */
  offsets = 0;
  refused = 0;
  readonly #socket: Socket;
  /** `depth` requests, one after the other. */
  readonly #requests: Uint8Array;
  readonly #requestBytes: number;
  readonly #sentMs: number[] = [];
  readonly #depth: number;
  #unsent: number;
  #unanswered: number;
  #due = 0;
  #done: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  static async connect(request: LoadRequest, index: number, requests: number): Promise<Producer> {
    const socket = connect({ host: "127.0.0.1", port: request.port, noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.write(greeting());
    await new Promise<void>((resolve, reject) => {
      const frames = new Frames(() => {
        socket.removeAllListeners();
        resolve();
      });
      socket.on("data", (chunk) => frames.push(chunk));
      socket.once("close", () => reject(new Error("the server did not answer a greeting")));
    });
    return new Producer(socket, request, index, requests);
  }

  private constructor(socket: Socket, request: LoadRequest, index: number, requests: number) {
    const { depth, partitions, records, valueBytes } = request;
    const one = produceRequest({ partition: index % partitions, records, valueBytes });
    this.#requestBytes = one.length;
    this.#requests = new Uint8Array(one.length * depth);
    for (let i = 0; i < depth; i += 1) this.#requests.set(one, i * one.length);
    this.#depth = depth;
    this.#unsent = requests;
    this.#unanswered = requests;
    this.#socket = socket;
    const frames = new Frames((frame) => this.#answered(frame));
    socket.on("data", (chunk) => {
      frames.push(chunk);
      this.#send();
    });
    socket.on("error", (error) => this.#failed(error));
    socket.on("close", () => this.#failed(new Error("the server closed a connection")));
  }

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#due = this.#depth;
      this.#send();
    });
  }

  close(): void {
    this.#failed = () => undefined;
    this.#socket.destroy();
  }

  /** As many requests as there were answers, in one write. */
  #send(): void {
    const count = Math.min(this.#due, this.#unsent);
    this.#due = 0;
    if (count === 0) return;
    this.#unsent -= count;
    const nowMs = performance.now();
    for (let i = 0; i < count; i += 1) this.#sentMs.push(nowMs);
    this.#socket.write(this.#requests.subarray(0, count * this.#requestBytes));
  }

  /** Later once more, as producers do. */
  #refused(): void {
    this.refused += 1;
    this.#sentMs.shift();
    setTimeout(() => {
      this.#unsent += 1;
      this.#due += 1;
      this.#send();
    }, REFUSED_PAUSE_MS);
  }

  #answered(frame: Uint8Array): void {
    const view = viewOf(frame);
    const errorCode = view.getInt16(ACKNOWLEDGEMENT.atErrorCode);
    if (errorCode === ErrorCode.KAFKA_STORAGE_ERROR) {
      this.#refused();
      return;
    }
    if (errorCode !== 0) {
      this.#failed(new Error(`a produce request was answered with error ${errorCode}`));
      return;
    }
    this.offsets += getInt64(view, ACKNOWLEDGEMENT.atBaseOffset);
    this.latenciesMs.push(performance.now() - (this.#sentMs.shift() as number));
    this.#due += 1;
    this.#unanswered -= 1;
    if (this.#unanswered === 0) this.#done();
  }
}
