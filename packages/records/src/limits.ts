/** Bytes that the records of one batch may have when decompressed. */
export const DECOMPRESSED_BYTES_MAX: number = 64 * 1024 * 1024;

/** Bytes that the records of a batch may have in any case: twice what Kafka's producers put into a batch unless told otherwise. */
export const DECOMPRESSED_BYTES_SURE: number = 2 * 1024 * 1024;

/**
 * Decompressed bytes per compressed byte at most. Deflate itself cannot exceed 1,032, so that no gzip stream is refused for its
 * ratio; zstd may exceed it.
 */
export const DECOMPRESSION_RATIO_MAX: number = 1_100;

/** Default size at which a builder's batch is full: Kafka's max.message.bytes. */
export const BATCH_BYTES_MAX: number = 1_048_588;

/** Bytes decoded in one turn of the event loop where a codec works in turns. */
export const DECODE_TURN_BYTES: number = 256 * 1024;

/** Memory that an idle WebAssembly instance may keep: twice what zstd begins with. One that grew beyond is dropped. */
export const WASM_IDLE_BYTES_MAX: number = 32 * 1024 * 1024;

/** Window of a zstd frame up to which it is streamed, which allocates it. Larger ones are decoded at once, into their result. */
export const ZSTD_STREAMED_WINDOW_BYTES_MAX: number = 8 * 1024 * 1024;

/** Frames of one zstd blob that are streamed one by one. Where there are more, they are decoded at once. */
export const ZSTD_STREAMED_FRAMES_MAX = 8;

/**
 * Bytes of earlier blocks that are copied to open the linked blocks of one LZ4 frame. Each may copy 64 KiB, however small it is; with
 * the blocks of 64 KiB that encoders write, 64 MiB need 64 MiB.
 */
export const LZ4_HISTORY_COPIED_MAX: number = 256 * 1024 * 1024;

/**
 * Bytes that `compressedBytes` may become: bounded absolutely and by their ratio. The ratio does not bind a small batch, which zstd
 * may make of a megabyte of the same byte.
 */
export function decompressedBytesMax(compressedBytes: number): number {
  const byRatio = Math.max(DECOMPRESSED_BYTES_SURE, compressedBytes * DECOMPRESSION_RATIO_MAX);
  return Math.min(DECOMPRESSED_BYTES_MAX, byRatio);
}
