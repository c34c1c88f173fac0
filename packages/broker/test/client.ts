import {
  type Api,
  type ApiSpec,
  createTopicsApi,
  decodeResponseHeader,
  encodeRequest,
  fetchApi,
  type FetchResponse,
  FrameAssembler,
  produceApi,
  type ProduceResponse,
  type RequestInput,
  RESPONSE_FRAME_BYTES_MIN,
  type ResponseOf,
} from "@karst/kafka-protocol";
import { copyOf } from "@karst/runtime";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const PRODUCE_VERSION = 8;
const FETCH_VERSION = 11;

type Produced = ProduceResponse["responses"][number]["partitionResponses"][number];
type Fetched = FetchResponse["responses"][number]["partitions"][number];

interface FetchOptions {
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly bytesMax?: number;
}

/** A client that says exactly what a test wants, on one connection. */
export class TestClient {
  readonly #socket: Socket;
  readonly #frames: Uint8Array[] = [];
  #wake: () => void = () => undefined;
  #correlationId = 0;
  readonly closed: Promise<void>;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const assembler = new FrameAssembler({
      onFrame: (frame) => {
        this.#frames.push(copyOf(frame.bytes));
        this.#wake();
      },
      reserve: () => true,
      release: () => undefined,
      frameBytesMin: RESPONSE_FRAME_BYTES_MIN,
    });
    assembler.trust();
    socket.on("data", (chunk) => assembler.push(chunk));
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async connect(port: number): Promise<TestClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new TestClient(socket);
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends a request; its answer is taken with `receive`. @returns its correlation id. */
  request<Spec extends ApiSpec>(
    api: Api<Spec>,
    version: number,
    message: RequestInput<Spec>,
  ): number {
    const correlationId = ++this.#correlationId;
    const header = { apiVersion: version, correlationId, clientId: "test" };
    for (const part of encodeRequest(api, header, message)) this.send(part);
    return correlationId;
  }

  /** The next response, which must be this one's. */
  async receive<Spec extends ApiSpec>(
    api: Api<Spec>,
    version: number,
    correlationId: number,
  ): Promise<ResponseOf<Spec>> {
    const frame = await this.frame();
    const header = decodeResponseHeader(api.responseHeaderVersion(version), frame);
    if (header.correlationId !== correlationId) {
      throw new Error(`response to ${header.correlationId} instead of ${correlationId}`);
    }
    return api.response.decode(version, frame.subarray(header.bodyAt));
  }

  call<Spec extends ApiSpec>(
    api: Api<Spec>,
    version: number,
    message: RequestInput<Spec>,
  ): Promise<ResponseOf<Spec>> {
    return this.receive(api, version, this.request(api, version, message));
  }

  async createTopic(name: string, partitions = 1): Promise<void> {
    const { topics } = await this.call(createTopicsApi, 4, {
      topics: [
        { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] },
      ],
      timeoutMs: 1_000,
      validateOnly: false,
    });
    if (topics[0]?.errorCode !== 0) throw new Error(`topic ${name}: error ${topics[0]?.errorCode}`);
  }

  /** Produces one batch, and waits for the answer. */
  produce(topic: string, records: Uint8Array | null, index = 0): Promise<Produced> {
    return this.produced(this.sendProduce(topic, records, index));
  }

  /** A produce request of one batch, without waiting for its answer. @returns its correlation id. */
  sendProduce(topic: string, records: Uint8Array | null, index = 0): number {
    return this.request(produceApi, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: topic, partitionData: [{ index, records }] }],
    });
  }

  /** The answer for the one partition of `sendProduce`. */
  async produced(correlationId: number): Promise<Produced> {
    const response = await this.receive(produceApi, PRODUCE_VERSION, correlationId);
    const partition = response.responses[0]?.partitionResponses[0];
    if (partition === undefined) throw new Error("no partition in the produce response");
    return partition;
  }

  /** Fetches from partition 0, and waits for the answer. */
  fetch(topic: string, fetchOffset: number, options: FetchOptions = {}): Promise<Fetched> {
    return this.fetched(this.sendFetch(topic, fetchOffset, options));
  }

  /** A fetch request of partition 0, without waiting for its answer. @returns its correlation id. */
  sendFetch(topic: string, fetchOffset: number, options: FetchOptions = {}): number {
    const { maxWaitMs = 0, minBytes = 1, bytesMax = 1_000_000 } = options;
    return this.request(fetchApi, FETCH_VERSION, {
      maxWaitMs,
      minBytes,
      maxBytes: bytesMax,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: bytesMax }] }],
    });
  }

  /** The answer for the one partition of `sendFetch`. */
  async fetched(correlationId: number): Promise<Fetched> {
    const response = await this.receive(fetchApi, FETCH_VERSION, correlationId);
    const partition = response.responses[0]?.partitions[0];
    if (partition === undefined) throw new Error("no partition in the fetch response");
    return partition;
  }

  /** The next frame without its length. */
  async frame(): Promise<Uint8Array> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#isClosed) throw new Error("the broker closed the connection");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Whether a response has come and was not taken. */
  get answered(): boolean {
    return this.#frames.length > 0;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
