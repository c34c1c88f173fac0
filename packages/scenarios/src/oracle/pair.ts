import {
  type AnyApi,
  type Api,
  type ApiSpec,
  apiVersionsApi,
  decodeResponseHeader,
  encodeRequest,
  type RequestInput,
  type ResponseOf,
} from "@karst/kafka-protocol";
import { isKarstError } from "@karst/runtime";
import { KafkaConnection, type RawOutcome } from "../kafka-connection.ts";
import { type Difference, differences } from "./difference.ts";
import { Identities } from "./identities.ts";
import { normalForm, type Plain } from "./normal-form.ts";
import type { Tally } from "./tally.ts";

/** A value of each broker. */
export interface Both<T> {
  readonly kafka: T;
  readonly karst: T;
}

/** One of the two brokers. */
export class Side {
  readonly name: "kafka" | "karst";
  readonly port: number;
  readonly identities: Identities = new Identities();

  constructor(name: "kafka" | "karst", port: number) {
    this.name = name;
    this.port = port;
  }

  pick<T>(both: Both<T>): T {
    return both[this.name];
  }
}

/** What a request says; where it names what a broker has named, a function of the broker. */
export type Message<Spec extends ApiSpec> = RequestInput<Spec> | ((at: Side) => RequestInput<Spec>);

export interface CallOptions {
  readonly clientId?: string | null;
  /** The broker may say nothing: a second request shows that it has gone on. */
  readonly mayBeSilent?: boolean;
  /** How long a broker may take to answer; what it has not answered then, it never will. Default: 5 s. */
  readonly patienceMs?: number;
  /** Something that is set up: not counted. */
  readonly uncounted?: boolean;
}

/** The decoded answers; undefined: there was none. */
export type Answers<Spec extends ApiSpec> = Both<ResponseOf<Spec> | undefined>;

interface Outcome {
  /** What was done with the request. */
  readonly tag: RawOutcome["tag"] | "an answer that cannot be decoded";
  readonly plain: Plain;
  readonly message: unknown;
}

/** A connection to each of both brokers, over which both are told the same. Calls are made one after the other. */
export class Pair {
  readonly sides: Both<Side>;
  readonly #tally: Tally;
  readonly #connections: Both<KafkaConnection>;
  readonly #more: Pair[] = [];

  constructor(sides: Both<Side>, tally: Tally) {
    this.sides = sides;
    this.#tally = tally;
    this.#connections = {
      kafka: new KafkaConnection(sides.kafka.port),
      karst: new KafkaConnection(sides.karst.port),
    };
  }

  /** Further connections: for a request that waits for another one. */
  another(): Pair {
    const pair = new Pair(this.sides, this.#tally);
    this.#more.push(pair);
    return pair;
  }

  close(): void {
    for (const pair of this.#more) pair.close();
    this.#connections.kafka.close();
    this.#connections.karst.close();
  }

  /** Gives both the same request, and compares what they answer. */
  async call<Spec extends ApiSpec>(
    name: string,
    api: Api<Spec>,
    version: number,
    message: Message<Spec>,
    options: CallOptions = {},
  ): Promise<Answers<Spec>> {
    const ask = async (side: Side): Promise<Outcome & { readonly request: unknown }> => {
      const request = typeof message === "function" ? message(side) : message;
      const clientId = options.clientId === undefined ? "oracle" : options.clientId;
      const raw = await this.#ask(
        side,
        (correlationId) =>
          encodeRequest(api, { apiVersion: version, correlationId, clientId }, request),
        options,
      );
      return { ...decoded(side, api, version, raw), request };
    };
    const [kafka, karst] = await Promise.all([ask(this.sides.kafka), ask(this.sides.karst)]);
    if (options.uncounted !== true)
      this.#compare(api.key, version, name, kafka.request, kafka, karst);
    return {
      kafka: kafka.message as ResponseOf<Spec> | undefined,
      karst: karst.message as ResponseOf<Spec> | undefined,
    };
  }

  /** Gives both the same bytes after the header's version, whatever they mean. `api` decodes the answers in `answerVersion`. */
  async raw(
    name: string,
    {
      api,
      version,
      answerVersion = version,
    }: {
      readonly api: AnyApi;
      readonly version: number;
      readonly answerVersion?: number;
    },
    afterCorrelationId: Uint8Array,
  ): Promise<void> {
    const ask = async (side: Side): Promise<Outcome> => {
      const raw = await this.#ask(
        side,
        (correlationId) => [rawFrame(api.key, version, correlationId, afterCorrelationId)],
        {},
      );
      return decoded(side, api, answerVersion, raw);
    };
    const [kafka, karst] = await Promise.all([ask(this.sides.kafka), ask(this.sides.karst)]);
    const request = { bytes: afterCorrelationId };
    this.#compare(api.key, version, name, request, kafka, karst);
  }

  async #ask(
    side: Side,
    frame: (correlationId: number) => readonly Uint8Array[],
    options: CallOptions,
  ): Promise<RawOutcome> {
    const connection = this.#connections[side.name];
    const correlationId = connection.nextCorrelationId();
    await connection.send(frame(correlationId));
    if (options.mayBeSilent !== true) return connection.receive(correlationId, options.patienceMs);
    const witness = connection.nextCorrelationId();
    const header = { apiVersion: 0, correlationId: witness, clientId: "oracle" };
    await connection.send(encodeRequest(apiVersionsApi, header, {}));
    return connection.receive(correlationId, options.patienceMs);
  }

  #compare(
    apiKey: number,
    version: number,
    name: string,
    request: unknown,
    kafka: Outcome,
    karst: Outcome,
  ): void {
    this.#tally.add({
      apiKey,
      version,
      name,
      request,
      kafka: kafka.plain,
      karst: karst.plain,
      differences: differencesOf(kafka, karst),
    });
  }
}

/** Where only one has answered, that is all there is to say. */
function differencesOf(kafka: Outcome, karst: Outcome): readonly Difference[] {
  const tags = { kafka: kafka.tag, karst: karst.tag };
  if (tags.kafka !== tags.karst) return [{ path: "(outcome)", ...tags }];
  return differences(kafka.plain, karst.plain);
}

function decoded(side: Side, api: AnyApi, version: number, raw: RawOutcome): Outcome {
  if (raw.tag !== "answer") return { tag: raw.tag, plain: null, message: undefined };
  try {
    const header = decodeResponseHeader(api.responseHeaderVersion(version), raw.frame);
    const message = api.response.decode(version, raw.frame.subarray(header.bodyAt));
    return { tag: "answer", plain: normalForm(message, side.identities), message };
  } catch (error) {
    if (!isKarstError(error)) throw error;
    return { tag: "an answer that cannot be decoded", plain: null, message: undefined };
  }
}

function rawFrame(
  apiKey: number,
  version: number,
  correlationId: number,
  rest: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(12 + rest.length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, 8 + rest.length);
  view.setInt16(4, apiKey);
  view.setInt16(6, version);
  view.setInt32(8, correlationId);
  frame.set(rest, 12);
  return frame;
}
