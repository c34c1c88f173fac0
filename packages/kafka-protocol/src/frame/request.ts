import type { AnyApi, Api, ApiSpec, RequestHeaderVersion, RequestInput } from "../api.ts";
import { apis } from "../apis.ts";
import { Reader } from "../codec/reader.ts";
import { sizeOfString } from "../codec/sizes.ts";

/**
 * Request header, after the frame's int32 length:
 *
 *     apiKey int16, apiVersion int16, correlationId int32, clientId nullable string (int16 length in every version),
 *     from v2: tag section
 */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** What stands at the same place in every header. */
export type RequestPrefix = Omit<RequestHeader, "clientId">;

export type RequestFrame =
  /** `body` is borrowed from the frame: it goes to `api.request.decode(header.apiVersion, body)`. */
  | {
      readonly tag: "request";
      readonly api: AnyApi;
      readonly header: RequestHeader;
      readonly body: Uint8Array;
    }
  /** The rest is not read, as its form is unknown. */
  | { readonly tag: "unsupported version"; readonly api: AnyApi; readonly prefix: RequestPrefix }
  | { readonly tag: "unknown api"; readonly prefix: RequestPrefix };

/**
 * Reads the header of a frame (without its length) and finds its API.
 *
 * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`).
 */
export function openRequest(frame: Uint8Array): RequestFrame {
  const reader = new Reader(frame, "request header");
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const api = apis.get(apiKey);
  if (api === undefined)
    return { tag: "unknown api", prefix: { apiKey, apiVersion, correlationId } };
  if (!api.supports(apiVersion)) {
    return { tag: "unsupported version", api, prefix: { apiKey, apiVersion, correlationId } };
  }
  const clientId = reader.stringOrNull();
  if (api.requestHeaderVersion(apiVersion) === 2) reader.skipTags();
  const header = { apiKey, apiVersion, correlationId, clientId };
  return { tag: "request", api, header, body: frame.subarray(reader.at) };
}

/**
 * Reads a header of a known version.
 *
 * @returns The header, and where in `frame` the body begins.
 * @throws KarstError `MALFORMED_MESSAGE` (`corrupt`).
 */
export function decodeRequestHeader(
  headerVersion: RequestHeaderVersion,
  frame: Uint8Array,
): { readonly header: RequestHeader; readonly bodyAt: number } {
  const reader = new Reader(frame, "request header");
  const header = {
    apiKey: reader.int16(),
    apiVersion: reader.int16(),
    correlationId: reader.int32(),
    clientId: reader.stringOrNull(),
  };
  if (headerVersion === 2) reader.skipTags();
  return { header, bodyAt: reader.at };
}

/**
 * A whole request frame with its length, as parts that follow one another.
 *
 * @throws TypeError for a value that the version cannot carry. KarstError `UNSUPPORTED_VERSION` (`invalid`).
 */
export function encodeRequest<Spec extends ApiSpec>(
  api: Api<Spec>,
  header: Omit<RequestHeader, "apiKey">,
  message: RequestInput<Spec>,
): Uint8Array[] {
  const tagged = api.requestHeaderVersion(header.apiVersion) === 2;
  const clientIdBytes = header.clientId === null ? 2 : sizeOfString(header.clientId, "clientId");
  const bytes = 4 + 8 + clientIdBytes + (tagged ? 1 : 0);
  return api.request.encodeParts(header.apiVersion, message, {
    bytes,
    write: (writer, messageBytes) => {
      writer.int32(bytes - 4 + messageBytes, "length");
      writer.int16(api.key, "apiKey");
      writer.int16(header.apiVersion, "apiVersion");
      writer.int32(header.correlationId, "correlationId");
      writer.string(header.clientId);
      if (tagged) writer.uvarint(0);
    },
  });
}
