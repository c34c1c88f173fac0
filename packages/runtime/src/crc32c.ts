import { createRequire } from "node:module";

type Checksum = (bytes: Uint8Array, seed: number) => number;

/** Below this many bytes the call into native code costs more than it saves. */
const NATIVE_BYTES_MIN = 600;

const require = createRequire(import.meta.url);

// The package has no types for its Castagnoli half, and it is CommonJS.
const portable = (require("crc-32/crc32c.js") as { readonly buf: Checksum }).buf;
const native = loadNative();

/** `@node-rs/crc32` where it loads; `KARST_PORTABLE=1` hides it. Any load error means that it is not there. */
function loadNative(): Checksum | undefined {
  if (process.env["KARST_PORTABLE"] === "1") return undefined;
  try {
    return (require("@node-rs/crc32") as { readonly crc32c: Checksum }).crc32c;
  } catch {
    return undefined;
  }
}

/**
 * CRC-32C (Castagnoli) of `bytes`, continuing from `seed`: `crc32c(b, crc32c(a)) === crc32c(a ++ b)`.
 *
 * @returns an unsigned 32-bit integer.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return native !== undefined && bytes.length >= NATIVE_BYTES_MIN
    ? native(bytes, seed) >>> 0
    : portable(bytes, seed | 0) >>> 0;
}

/** Which implementation serves long inputs. */
export const crc32cImplementation: "native" | "portable" =
  native === undefined ? "portable" : "native";
