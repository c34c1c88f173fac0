import { codecById, CODEC_NAMES, type CodecName, DECOMPRESSED_BYTES_MAX } from "@karst/records";
import kafkajs from "kafkajs";

/** What kafkajs asks of a codec. */
interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * Gives kafkajs, in this process, the codecs of @karst/records: it has none of its own but gzip, and that one is replaced too.
 *
 * @param opened told of each batch that is decompressed.
 */
export function registerCodecs(opened: (codec: CodecName) => void = () => undefined): void {
  const table = kafkajs.CompressionCodecs as Record<number, () => KafkajsCodec>;
  for (const [id, name] of CODEC_NAMES.entries()) {
    if (name === "none") continue;
    table[id] = () => ({
      compress: ({ buffer }) => Promise.resolve(Buffer.from(codecById(id).compress(buffer))),
      decompress: (bytes) => {
        opened(name);
        return Promise.resolve(
          Buffer.from(codecById(id).decompress(bytes, DECOMPRESSED_BYTES_MAX)),
        );
      },
    });
  }
}
