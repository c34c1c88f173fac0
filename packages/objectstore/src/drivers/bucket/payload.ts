import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { crc32c } from "@karst/runtime";
import { bodyParts } from "../../body.ts";
import { SEND_TOGETHER_BELOW_BYTES } from "../../limits.ts";
import type { ObjectBody } from "../../object-store.ts";

/** SHA-256 of nothing, and the word that S3 takes in its place. */
export const UNSIGNED = "UNSIGNED-PAYLOAD";

/** A body on its way: its parts are sent as they are, small neighbours together. */
export class Payload {
  readonly bytes: number;
  readonly #parts: readonly Uint8Array[];
  #sha256: string | undefined;
  #crc32c: string | undefined;

  /** @throws TypeError unless the body is one. */
  constructor(body: ObjectBody) {
    this.#parts = bodyParts(body);
    this.bytes = this.#parts.reduce((bytes, part) => bytes + part.length, 0);
  }

  /** One buffer where that costs little, else a stream, new at each call. */
  content(): Buffer | Readable {
    const [only, ...more] = this.#parts;
    if (only === undefined) return Buffer.alloc(0);
    if (more.length === 0) return viewOf(only);
    if (this.bytes < SEND_TOGETHER_BELOW_BYTES) return together(this.#parts, this.bytes);
    return Readable.from(gathered(this.#parts), { objectMode: false });
  }

  /** In hexadecimal digits, as a signature has it; computed once. */
  get sha256(): string {
    return (this.#sha256 ??= sha256Of(this.#parts));
  }

  /** In base64, as the header `x-amz-checksum-crc32c` has it; computed once. */
  get crc32c(): string {
    return (this.#crc32c ??= crc32cOf(this.#parts));
  }
}

function sha256Of(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function crc32cOf(parts: readonly Uint8Array[]): string {
  let crc = 0;
  for (const part of parts) crc = crc32c(part, crc);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

/** Parts of at least the limit as they are, runs of smaller ones in one buffer. */
function* gathered(parts: readonly Uint8Array[]): Generator<Buffer> {
  let run: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes > 0 && bytes + part.length > SEND_TOGETHER_BELOW_BYTES) {
      yield together(run, bytes);
      [run, bytes] = [[], 0];
    }
    if (part.length >= SEND_TOGETHER_BELOW_BYTES) {
      yield viewOf(part);
      continue;
    }
    run.push(part);
    bytes += part.length;
  }
  if (bytes > 0) yield together(run, bytes);
}

function together(parts: readonly Uint8Array[], bytes: number): Buffer {
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 ? viewOf(only) : Buffer.concat(parts, bytes);
}

function viewOf(part: Uint8Array): Buffer {
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
