import type { Api, ApiSpec, ResponseHeaderVersion, ResponseInput } from "../api.ts";
import { Reader } from "../codec/reader.ts";

/**
 * A whole response frame with its length, as parts that follow one another; see `MessageCodec.encodeParts` for what they borrow.
 *
 *     length int32, correlationId int32, from header v1: tag section, body
 *
 * @throws TypeError for a value that the version cannot carry. KarstError `UNSUPPORTED_VERSION` (`invalid`).
 */
export function encodeResponse<Spec extends ApiSpec>(
  api: Api<Spec>,
  header: { readonly apiVersion: number; readonly correlationId: number },
  message: ResponseInput<Spec>,
): Uint8Array[] {
  const tagged = api.responseHeaderVersion(header.apiVersion) === 1;
  const bytes = tagged ? 9 : 8;
  return api.response.encodeParts(header.apiVersion, message, {
    bytes,
    write: (writer, messageBytes) => {
      writer.int32(bytes - 4 + messageBytes, "length");
      writer.int32(header.correlationId, "correlationId");
      if (tagged) writer.uvarint(0);
    },
  });
}

/**
 * Reads the header of a frame (without its length).
 *
 * @returns The correlation id, and where in `frame` the body begins.
 * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`).
 */
export function decodeResponseHeader(
  headerVersion: ResponseHeaderVersion,
  frame: Uint8Array,
): { readonly correlationId: number; readonly bodyAt: number } {
  const reader = new Reader(frame, "response header");
  const correlationId = reader.int32();
  if (headerVersion === 1) reader.skipTags();
  return { correlationId, bodyAt: reader.at };
}
