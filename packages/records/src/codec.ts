import { gzipCodec } from "./drivers/gzip.ts";
import { recordsError } from "./errors.ts";
import { DECOMPRESSED_BYTES_MAX, DECOMPRESSION_RATIO_MAX } from "./limits.ts";

/** What compresses the records of a batch. The id is what the attributes carry. */
export interface Codec {
  readonly id: number;
  readonly name: CodecName;
  /** Fresh bytes. */
  compress(bytes: Uint8Array): Uint8Array;
  /**
   * Fresh bytes, at most `bytesMax`; never allocates much more than that, whatever the input claims.
   *
   * @throws KarstError `DECOMPRESSED_TOO_LARGE` (`invalid`), `CORRUPT_BATCH` (`corrupt`).
   */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
  /** The same off the event loop, for inputs that would hold it up. Rejects with the same errors. */
  decompressAsync(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array>;
}

export type CodecName = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** Names in order of their ids. */
export const CODEC_NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

const known: ReadonlyMap<number, Codec> = new Map([[gzipCodec.id, gzipCodec]]);

/** Whether batches of this codec can be opened here. Passing them through needs nothing. */
export function codecKnown(id: number): boolean {
  return id === 0 || known.has(id);
}

/** @throws KarstError `UNSUPPORTED_CODEC` (`invalid`). `none` (0) has no codec: its records are not transformed. */
export function codecById(id: number): Codec {
  const codec = known.get(id);
  if (codec === undefined) {
    throw recordsError(
      "UNSUPPORTED_CODEC",
      `compression codec ${CODEC_NAMES[id] ?? id} is not available`,
    );
  }
  return codec;
}

/** Bytes that `compressedBytes` may become: bounded absolutely and by their ratio. */
export function decompressedBytesMax(compressedBytes: number): number {
  return Math.min(DECOMPRESSED_BYTES_MAX, compressedBytes * DECOMPRESSION_RATIO_MAX);
}
