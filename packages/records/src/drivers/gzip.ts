import { promisify } from "node:util";
import { gunzip, gunzipSync, gzipSync } from "node:zlib";
import type { Codec } from "../codec.ts";
import { recordsError } from "../errors.ts";
import type { KarstError } from "@karst/runtime";

const gunzipAsync = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(gunzip);

/** gzip (RFC 1952) by the zlib of Node. */
export const gzipCodec: Codec = {
  id: 1,
  name: "gzip",
  compress: (bytes) => plain(gzipSync(bytes)),
  decompress(bytes, bytesMax) {
    try {
      return plain(gunzipSync(bytes, { maxOutputLength: bytesMax }));
    } catch (cause) {
      throw gunzipError(cause, bytesMax);
    }
  },
  async decompressAsync(bytes, bytesMax) {
    try {
      return plain(await gunzipAsync(bytes, { maxOutputLength: bytesMax }));
    } catch (cause) {
      throw gunzipError(cause, bytesMax);
    }
  },
};

/** Callers see no Buffers: their methods are slower, and their `slice` means something else. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function gunzipError(cause: unknown, bytesMax: number): KarstError {
  return (cause as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE"
    ? recordsError(
        "DECOMPRESSED_TOO_LARGE",
        `the gzip stream is more than ${bytesMax} bytes long`,
        cause,
      )
    : recordsError("CORRUPT_BATCH", "the gzip stream is damaged", cause);
}
