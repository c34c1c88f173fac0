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
