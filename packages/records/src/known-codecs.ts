import { type Codec, CODEC_NAMES, type CodecTwins } from "./codec.ts";
import { gzipCodec } from "./drivers/gzip.ts";
import { lz4Twins } from "./drivers/lz4.ts";
import { snappyTwins } from "./drivers/snappy.ts";
import { zstdTwins } from "./drivers/zstd.ts";
import { recordsError } from "./errors.ts";

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
