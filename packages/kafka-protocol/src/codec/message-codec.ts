import { concatBytes } from "@karst/runtime";
import { protocolError } from "../errors.ts";
import type { Fields } from "../schema/field.ts";
import type { VersionRange } from "../schema/versions.ts";
import { includesVersion } from "../schema/versions.ts";
import { compileDecoder } from "./decoder.ts";
import type { Decoder } from "./decoder.ts";
import { compileEncoder } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { planMessage } from "./plan.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

const INT32_MAX = 0x7fff_ffff;

export interface DecodeOptions {
  /** Array elements that the message may have in all; default `ELEMENTS_MAX`. */
  readonly elementsMax?: number;
  /** Bytes after the message; default `refused`. Kafka's own broker ignores them, and some clients send them in old versions. */
  readonly trailingBytes?: "refused" | "ignored";
}

/** What precedes a message in its frame. */
export interface Head {
  readonly bytes: number;
  /** @param messageBytes Size of the message that follows. */
  write(writer: Writer, messageBytes: number): void;
}

const noHead: Head = { bytes: 0, write: () => undefined };

/** A request or a response of one API, in all its versions; each version is compiled when it is first used. */
export class MessageCodec<Message, Input> {
  /** `FetchRequest`. */
  readonly name: string;
  readonly fields: Fields;
  readonly versions: VersionRange;
  readonly #flexibleFrom: number;
  readonly #decoders: (Decoder | undefined)[] = [];
  readonly #encoders: (Encoder | undefined)[] = [];

  constructor(schema: {
    readonly name: string;
    readonly fields: Fields;
    readonly versions: VersionRange;
    readonly flexibleFrom: number;
  }) {
    this.name = schema.name;
    this.fields = schema.fields;
    this.versions = schema.versions;
    this.#flexibleFrom = schema.flexibleFrom;
  }

  /**
   * Decodes `bytes`, all of them. The message's `bytes` and `records` values are views of them, its defaults are shared: nothing in it may be changed.
   *
   * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`); `UNSUPPORTED_VERSION` (`invalid`).
   */
  decode(version: number, bytes: Uint8Array, options?: DecodeOptions): Message {
    const decoder = (this.#decoders[version] ??= compileDecoder(
      this.#plan(version),
      `${this.name}-v${version}-decoder`,
    ));
    const reader = new Reader(bytes, `${this.name} v${version}`, options?.elementsMax);
    const message = decoder(reader);
    if (options?.trailingBytes !== "ignored") reader.finish();
    return message as Message;
  }

  /**
   * One array, record payloads copied into it. Its bytes belong to nobody else; its `buffer` may.
   *
   * @throws TypeError for a value that the version cannot carry. KarstError `UNSUPPORTED_VERSION` (`invalid`).
   */
  encode(version: number, message: Input): Uint8Array {
    const parts = this.encodeParts(version, message);
    return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(parts);
  }

  /**
   * The message's bytes as parts that follow one another. Record payloads above `COPIED_RECORDS_BYTES_MAX` are parts of their own: the
   * very arrays of the message, not copied.
   *
   * @throws As `encode`.
   */
  encodeParts(version: number, message: Input, head: Head = noHead): Uint8Array[] {
    const encoder = (this.#encoders[version] ??= compileEncoder(
      this.#plan(version),
      `${this.name}-v${version}-encoder`,
    ));
    const borrowed = { bytes: 0 };
    const ownBytes = encoder.size(message, borrowed);
    const messageBytes = ownBytes + borrowed.bytes;
    if (head.bytes + messageBytes > INT32_MAX)
      throw new TypeError(`${this.name} of ${messageBytes} bytes: frames end at 2 GiB`);
    const writer = new Writer(head.bytes + ownBytes);
    head.write(writer, messageBytes);
    encoder.write(message, writer);
    return writer.finish();
  }

  #plan(version: number): ReturnType<typeof planMessage> {
    if (!Number.isInteger(version) || !includesVersion(this.versions, version)) {
      const { min, max } = this.versions;
      throw protocolError(
        "UNSUPPORTED_VERSION",
        `${this.name} v${version}: known versions are ${min} to ${max}`,
      );
    }
    return planMessage(this.name, this.fields, version, version >= this.#flexibleFrom);
  }
}
