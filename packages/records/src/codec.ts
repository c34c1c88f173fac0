import { gzipCodec } from "./drivers/gzip.ts";
import { lz4Twins } from "./drivers/lz4.ts";
import { snappyTwins } from "./drivers/snappy.ts";
import { zstdTwins } from "./drivers/zstd.ts";
import { recordsError } from "./errors.ts";
import {
  DECOMPRESSED_BYTES_MAX,
  DECOMPRESSED_BYTES_SURE,
  DECOMPRESSION_RATIO_MAX,
} from "./limits.ts";

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
  /**
   * The same, for inputs that would hold up the event loop: off it where the library can, else block by block in turns, and only
   * zstd without Node's own at once. Rejects with the same errors.
   */
  decompressAsync(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array>;
}

export type CodecName = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** Names in order of their ids. */
export const CODEC_NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** The implementations of one codec: the same bytes can be read by both. */
export interface CodecTwins {
  /** Undefined where it does not load, or is hidden by `KARST_PORTABLE=1`. */
  readonly native: Codec | undefined;
  readonly portable: Codec;
}

/** Each loads its package when it is first asked for. */
const TWINS: ReadonlyMap<number, () => CodecTwins> = new Map([
  [1, () => ({ native: undefined, portable: gzipCodec })],
  [2, snappyTwins],
  [3, lz4Twins],
  [4, zstdTwins],
]);

/** Whether batches of this codec can be opened here. Passing them through needs nothing. */
export function codecKnown(id: number): boolean {
  return id === 0 || TWINS.has(id);
}

/**
 * The native implementation where it loads, else the portable one.
 *
 * @throws KarstError `UNSUPPORTED_CODEC` (`invalid`). `none` (0) has no codec: its records are not transformed.
 */
export function codecById(id: number): Codec {
  const { native, portable } = codecTwins(id);
  return native ?? portable;
}

/** Both implementations, for comparing them. @throws as `codecById`. */
export function codecTwins(id: number): CodecTwins {
  const twins = TWINS.get(id);
  if (twins === undefined) {
    throw recordsError(
      "UNSUPPORTED_CODEC",
      `compression codec ${CODEC_NAMES[id] ?? id} is not available`,
    );
  }
  return twins();
}

/**
 * Bytes that `compressedBytes` may become: bounded absolutely and by their ratio. The ratio does not bind a small batch, which zstd
 * may make of a megabyte of the same byte.
 */
export function decompressedBytesMax(compressedBytes: number): number {
  const byRatio = Math.max(DECOMPRESSED_BYTES_SURE, compressedBytes * DECOMPRESSION_RATIO_MAX);
  return Math.min(DECOMPRESSED_BYTES_MAX, byRatio);
}
