/** Bytes that the records of one batch may have when decompressed. */
export const DECOMPRESSED_BYTES_MAX: number = 64 * 1024 * 1024;

/**
 * Decompressed bytes per compressed byte at most. Deflate itself cannot exceed 1,032, so that no gzip stream is refused for its
 * ratio; formats with longer matches are.
 */
export const DECOMPRESSION_RATIO_MAX: number = 1_100;

/** Default size at which a builder's batch is full: Kafka's max.message.bytes. */
export const BATCH_BYTES_MAX: number = 1_048_588;
