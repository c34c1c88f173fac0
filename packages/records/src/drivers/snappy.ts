import type { Codec, CodecTwins } from "../codec.ts";
import { corrupt, decodingError, tooLarge } from "../codecs/failure.ts";
import { checkSnappyBlock, type SnappyBlocks, snappyDeclared } from "../codecs/snappy-block.ts";
import { runNow } from "../codecs/steps.ts";
import { decodeXerial, encodeXerial, isXerial } from "../codecs/xerial.ts";
import { loadNative, loadPortable, once } from "./load.ts";
import { runInTurns } from "./turns.ts";

interface NativePackage {
  compressSync(bytes: Uint8Array): Uint8Array;
  uncompressSync(bytes: Uint8Array): Uint8Array;
  uncompress(bytes: Uint8Array): Promise<Uint8Array>;
}

interface PortablePackage {
  compress(bytes: Uint8Array): Uint8Array;
  uncompress(bytes: Uint8Array): Uint8Array;
}

/** Snappy by the packages `snappy` (native) and `snappyjs`. */
export const snappyTwins: () => CodecTwins = once(() => {
  const native = loadNative<NativePackage>("snappy");
  return {
    native: native && snappyCodec(nativeBlocks(native)),
    portable: snappyCodec(portableBlocks(loadPortable<PortablePackage>("snappyjs"))),
  };
});

/**
 * Written with the framing of Java's clients, read with it or as one raw block. Off the event loop goes a raw block of the native
 * package; framed ones are opened in turns, and a raw block of the portable one at once.
 */
function snappyCodec(blocks: SnappyBlocks): Codec {
  return {
    id: 2,
    name: "snappy",
    compress: (bytes) => encodeXerial(bytes, blocks),
    decompress(bytes, bytesMax) {
      try {
        if (isXerial(bytes)) return runNow(decodeXerial(bytes, blocks, bytesMax));
        return whole(blocks.decompress(raw(bytes, bytesMax)), bytes);
      } catch (cause) {
        throw decodingError("snappy", cause);
      }
    },
    async decompressAsync(bytes, bytesMax) {
      try {
        if (isXerial(bytes)) return await runInTurns(decodeXerial(bytes, blocks, bytesMax));
        const block = raw(bytes, bytesMax);
        return whole(await (blocks.decompressAsync ?? blocks.decompress)(block), bytes);
      } catch (cause) {
        throw decodingError("snappy", cause);
      }
    },
  };
}

function raw(block: Uint8Array, bytesMax: number): Uint8Array {
  if (snappyDeclared(block).bytes > bytesMax) throw tooLarge("snappy", bytesMax);
  return block;
}

function whole(decoded: Uint8Array, block: Uint8Array): Uint8Array {
  if (decoded.length === snappyDeclared(block).bytes) return decoded;
  throw corrupt("a snappy block is shorter than it says");
}

function nativeBlocks(native: NativePackage): SnappyBlocks {
  return {
    compress: (block) => plain(native.compressSync(block)),
    decompress: (block) => plain(native.uncompressSync(block)),
    decompressAsync: async (block) => plain(await native.uncompress(block)),
  };
}

function portableBlocks(portable: PortablePackage): SnappyBlocks {
  return {
    compress: (block) => portable.compress(block),
    decompress(block) {
      // It trusts its input: some damaged blocks become something, others never end.
      checkSnappyBlock(block);
      return portable.uncompress(block);
    },
  };
}

function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
