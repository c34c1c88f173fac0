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
import { copyOf } from "@karst/runtime";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

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
