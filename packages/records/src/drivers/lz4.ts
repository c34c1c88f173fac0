import type { Codec, CodecTwins } from "../codec.ts";
import { corrupt, decodingError } from "../codecs/failure.ts";
import type { Lz4Blocks } from "../codecs/lz4-block.ts";
import { decodeLz4Frame, encodeLz4Frame } from "../codecs/lz4-frame.ts";
import { runNow } from "../codecs/steps.ts";
import { loadFresh, loadNative, once } from "./load.ts";
import { runInTurns } from "./turns.ts";

/** The raw block functions; its frame decoder ends the process on a truncated frame and is never called. */
interface NativePackage {
  /** @returns 0 where it does not fit. */
  encodeBlock(block: Uint8Array, into: Uint8Array): number;
  /** @returns bytes made; below 0 where the block is damaged or does not fit. */
  decodeBlock(block: Uint8Array, into: Uint8Array): number;
}

/** Blocks with their decoded size in front, 4 bytes, little-endian; it must be right to the byte. */
interface PortablePackage {
  compress(block: Uint8Array): Uint8Array;
  decompress(sizedBlock: Uint8Array): Uint8Array;
}

const SIZE_BYTES = 4;

/** LZ4 frames of ours around the blocks of the packages `lz4` (native) and `lz4-wasm-nodejs`. ADR-0008. */
export const lz4Twins: () => CodecTwins = once(() => {
  const native = loadNative<NativePackage>("lz4");
  return {
    native: native && lz4Codec(nativeBlocks(native)),
    portable: lz4Codec(portableBlocks()),
  };
});

/** What is opened aside is opened in turns: neither package has a thread. */
function lz4Codec(blocks: Lz4Blocks): Codec {
  return {
    id: 3,
    name: "lz4",
    compress: (bytes) => encodeLz4Frame(bytes, blocks),
    decompress(bytes, bytesMax) {
      try {
        return runNow(decodeLz4Frame(bytes, blocks, bytesMax));
      } catch (cause) {
        throw decodingError("LZ4", cause);
      }
    },
    async decompressAsync(bytes, bytesMax) {
      try {
        return await runInTurns(decodeLz4Frame(bytes, blocks, bytesMax));
      } catch (cause) {
        throw decodingError("LZ4", cause);
      }
    },
  };
}

function nativeBlocks(native: NativePackage): Lz4Blocks {
  return {
    compress: (block, into) => native.encodeBlock(block, into),
    decompress(block, into) {
      const bytes = native.decodeBlock(block, into);
      if (bytes !== into.length) throw corrupt(`an LZ4 block became ${bytes} bytes`);
    },
  };
}

/**
 * Invariant: an instance that threw is not used again. It is made at first use, and anew after that.
 */
function portableBlocks(): Lz4Blocks {
  let loaded: PortablePackage | undefined;
  const run = (call: "compress" | "decompress", bytes: Uint8Array): Uint8Array => {
    const instance = (loaded ??= loadFresh<PortablePackage>("lz4-wasm-nodejs"));
    loaded = undefined;
    const result = instance[call](bytes);
    loaded = instance;
    return result;
  };
  return {
    compress(block, into) {
      const compressed = run("compress", block).subarray(SIZE_BYTES);
      if (compressed.length > into.length) return 0;
      into.set(compressed);
      return compressed.length;
    },
    decompress(block, into) {
      const sized = new Uint8Array(SIZE_BYTES + block.length);
      new DataView(sized.buffer).setUint32(0, into.length, true);
      sized.set(block, SIZE_BYTES);
      const decoded = run("decompress", sized);
      if (decoded.length !== into.length) throw corrupt("an LZ4 block is shorter than it walks");
      into.set(decoded);
    },
  };
}
