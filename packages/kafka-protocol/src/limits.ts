/** Largest frame, without its length prefix: the default of Kafka's `socket.request.max.bytes`. */
export const FRAME_BYTES_MAX: number = 100 * 1024 * 1024;

/** Largest frame until the connection's owner has seen a valid request on it. */
export const UNTRUSTED_FRAME_BYTES_MAX: number = 64 * 1024;

/** First buffer of a frame that arrives in pieces; it grows only in step with the bytes received. */
export const FRAME_STEP_BYTES: number = 16 * 1024;

/** Bytes that a partly received frame may hold for each byte received, beyond the first step. */
export const FRAME_GROWTH: number = 4;

/** Array elements in one message, over all its arrays: bounds the heap that a frame can cost. */
export const ELEMENTS_MAX: number = 1_000_000;

/** UTF-8 bytes of a string, in both its encodings. */
export const STRING_BYTES_MAX: number = 32_767;

/** Encoded messages up to half of this share buffers of this size. */
export const SHARED_BUFFER_BYTES: number = 8192;

/** Record payloads up to this size are copied beside their header: a socket write costs more per part than per byte. */
export const COPIED_RECORDS_BYTES_MAX: number = 4096;
