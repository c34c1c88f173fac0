import { ZERO_UUID } from "@karst/kafka-protocol";
import { batchCrc, BATCH_HEADER_BYTES } from "@karst/records";
import { copyOf, viewOf } from "@karst/runtime";

type Name = string | number;

/** Fields that hold a name which a broker has given, and what kind of name. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["topicId", "topic"],
  ["memberId", "member"],
  ["leader", "member"],
  ["sessionId", "session"],
  ["producerId", "producer"],
  ["leaderEpoch", "epoch"],
  ["currentLeaderEpoch", "epoch"],
  ["lastFetchedEpoch", "epoch"],
  ["committedLeaderEpoch", "epoch"],
]);
/** They name nothing, everywhere. */
const NOTHING: ReadonlySet<unknown> = new Set([ZERO_UUID, "", -1]);

const AT_CRC = 17;
const AT_PRODUCER_ID = 43;

/** Requests of a recording as another broker has to be asked: with the names that it has given in place of those that were recorded. */
export class Translation {
  /** By kind and recorded name. */
  readonly #names = new Map<string, Name>();

  /** The recorded answer and the broker's own, to the same request. */
  learn(recorded: unknown, own: unknown): void {
    if (Array.isArray(recorded) && Array.isArray(own)) {
      if (recorded.length !== own.length) return;
      for (const [at, element] of recorded.entries()) this.learn(element, own[at]);
    } else if (isStruct(recorded) && isStruct(own)) {
      for (const [field, value] of Object.entries(recorded)) {
        const kind = KINDS.get(field);
        if (kind === undefined) this.learn(value, own[field]);
        else if (!NOTHING.has(value) && !NOTHING.has(own[field]))
          this.#names.set(`${kind} ${String(value)}`, own[field] as Name);
      }
    }
  }

  request(message: unknown, field = ""): unknown {
    if (message instanceof Uint8Array)
      return field === "records" ? this.#records(message) : message;
    if (Array.isArray(message)) return message.map((element) => this.request(element));
    if (isStruct(message)) {
      const entries = Object.entries(message);
      return Object.fromEntries(entries.map(([name, value]) => [name, this.request(value, name)]));
    }
    const kind = KINDS.get(field);
    if (kind === undefined || NOTHING.has(message)) return message;
    return this.#names.get(`${kind} ${String(message)}`) ?? message;
  }

  /** One batch, as producers send them. */
  #records(bytes: Uint8Array): Uint8Array {
    if (bytes.length < BATCH_HEADER_BYTES) return bytes;
    const recorded = viewOf(bytes).getBigInt64(AT_PRODUCER_ID);
    const own = this.#names.get(`producer ${recorded}`);
    if (own === undefined) return bytes;
    const batch = copyOf(bytes);
    const view = viewOf(batch);
    view.setBigInt64(AT_PRODUCER_ID, BigInt(own));
    view.setUint32(AT_CRC, batchCrc(view));
    return batch;
  }
}

function isStruct(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}
