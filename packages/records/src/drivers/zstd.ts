import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { concatBytes } from "@karst/runtime";
import type { Codec, CodecTwins } from "../codec.ts";
import { corrupt, decodingError, tooLarge } from "../codecs/failure.ts";
import { type ZstdFrame, zstdFrames } from "../codecs/zstd-frame.ts";
import { ZSTD_STREAMED_FRAMES_MAX, ZSTD_STREAMED_WINDOW_BYTES_MAX } from "../limits.ts";
import { nativeHidden, once } from "./load.ts";
import { ZstdWasm } from "./zstd-wasm.ts";

type Limit = { readonly maxOutputLength: number };

/** What the zlib of Node has from 22.15 on. */
interface NodeZstd {
  zstdCompressSync(bytes: Uint8Array): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: Limit): Uint8Array;
  zstdDecompress(
    bytes: Uint8Array,
    options: Limit,
    done: (error: Error | null, decoded: Uint8Array) => void,
  ): void;
}

/** Zstandard (RFC 8878) by the zlib of Node where it has it, and by the package `@bokuweb/zstd-wasm`. Level 3, Kafka's default. */
export const zstdTwins: () => CodecTwins = once(() => {
  const portable = portableCodec(new ZstdWasm());
  const node = zlib as Partial<NodeZstd>;
  const there = node.zstdDecompress !== undefined && !nativeHidden();
  return { native: there ? nativeCodec(node as NodeZstd, portable) : undefined, portable };
});

/** Opens at once, also aside: the package has no thread, and frames cannot be opened in parts. 64 MiB take about 0.1 s. */
function portableCodec(wasm: ZstdWasm): Codec {
  const decompress = (bytes: Uint8Array, bytesMax: number): Uint8Array => {
    try {
      const frames = framesWithin(bytes, bytesMax);
      const bound = frames.reduce((sum, { bytesBound }) => sum + bytesBound, 0);
      const decoded = wasm.decompress(bytes, Math.min(bound, bytesMax));
      if (decoded !== undefined) return checked(decoded, frames);
      throw bound > bytesMax ? tooLarge("zstd", bytesMax) : corrupt("a zstd block is too long");
    } catch (cause) {
      throw decodingError("zstd", cause);
    }
  };
  return {
    id: 4,
    name: "zstd",
    compress: (bytes) => wasm.compress(bytes),
    decompress,
    decompressAsync: async (bytes, bytesMax) => decompress(bytes, bytesMax),
  };
}

/** Node's decoder stops after one frame, so that it is given them one by one. */
function nativeCodec(node: NodeZstd, portable: Codec): Codec {
  const decompressAside = promisify<Uint8Array, Limit, Uint8Array>(node.zstdDecompress);
  return {
    id: 4,
    name: "zstd",
    compress: (bytes) => plain(node.zstdCompressSync(bytes)),
    decompress(bytes, bytesMax) {
      try {
        const frames = framesWithin(bytes, bytesMax);
        if (isCostly(frames)) return portable.decompress(bytes, bytesMax);
        const result = new FrameResults(bytesMax);
        for (const frame of frames) {
          const decoded = node.zstdDecompressSync(bytes.subarray(frame.start, frame.end), {
            maxOutputLength: result.limit,
          });
          result.add(decoded, frame);
        }
        return result.whole();
      } catch (cause) {
        throw nodeError(cause, bytesMax);
      }
    },
    async decompressAsync(bytes, bytesMax) {
      try {
        const frames = framesWithin(bytes, bytesMax);
        if (isCostly(frames)) return await portable.decompressAsync(bytes, bytesMax);
        const result = new FrameResults(bytesMax);
        for (const frame of frames) {
          const decoded = await decompressAside(bytes.subarray(frame.start, frame.end), {
            maxOutputLength: result.limit,
          });
          result.add(decoded, frame);
        }
        return result.whole();
      } catch (cause) {
        throw nodeError(cause, bytesMax);
      }
    },
  };
}

/** What the frames have become so far: `bytesMax` bytes at most, one byte beyond being seen to be too many. */
class FrameResults {
  readonly #bytesMax: number;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** For the next one: Node knows no limit of 0. */
  get limit(): number {
    return Math.max(1, this.#bytesMax - this.#bytes);
  }

  add(decoded: Uint8Array, frame: ZstdFrame): void {
    this.#parts.push(checked(plain(decoded), [frame]));
    this.#bytes += decoded.length;
    if (this.#bytes > this.#bytesMax) throw tooLarge("zstd", this.#bytesMax);
  }

  whole(): Uint8Array {
    return this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : concatBytes(this.#parts);
  }
}

/** The frames, if what they declare is not too large. */
function framesWithin(bytes: Uint8Array, bytesMax: number): readonly ZstdFrame[] {
  const frames = zstdFrames(bytes);
  const declared = frames.reduce((sum, frame) => sum + (frame.contentBytes ?? 0), 0);
  if (declared > bytesMax) throw tooLarge("zstd", bytesMax);
  return frames;
}

/**
 * Whether Node's decoder, which streams, would cost more than it should: a window is allocated because a frame asks for it, and each
 * frame needs a decoder of its own.
 */
function isCostly(frames: readonly ZstdFrame[]): boolean {
  return (
    frames.length > ZSTD_STREAMED_FRAMES_MAX ||
    frames.some((frame) => frame.windowBytes > ZSTD_STREAMED_WINDOW_BYTES_MAX)
  );
}

/** Decoders stop at what they take for the end. */
function checked(decoded: Uint8Array, frames: readonly ZstdFrame[]): Uint8Array {
  let bytes = 0;
  for (const { contentBytes } of frames) {
    if (contentBytes === undefined) return decoded;
    bytes += contentBytes;
  }
  if (decoded.length !== bytes) {
    throw corrupt(`zstd data of ${decoded.length} bytes says that it has ${bytes}`);
  }
  return decoded;
}

function nodeError(cause: unknown, bytesMax: number): Error {
  return (cause as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE"
    ? tooLarge("zstd", bytesMax, cause)
    : decodingError("zstd", cause);
}

function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
