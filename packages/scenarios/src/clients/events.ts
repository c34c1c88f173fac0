/** What a driver prints, and what it is told (packages/scenarios/clients/README.md). */

export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type CodecName = (typeof CODECS)[number];

/** Bytes in base64, as they stand in a driver's lines. */
export type Base64 = string;

export interface DriverRecord {
  readonly partition: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Base64 | null;
  readonly value: Base64 | null;
  readonly headers: readonly (readonly [string, Base64 | null])[];
}

export interface ReadRecord extends DriverRecord {
  readonly topic: string;
  readonly offset: number;
}

/** Topic and partition. */
export type Place = readonly [string, number];

export type DriverEvent =
  | { readonly event: "version"; readonly client: string; readonly library: string }
  | {
      readonly event: "acknowledged";
      readonly index: number;
      readonly partition: number;
      readonly offset: number;
    }
  | { readonly event: "assigned"; readonly partitions: readonly Place[] }
  | { readonly event: "revoked"; readonly partitions: readonly Place[] }
  | ({ readonly event: "record" } & ReadRecord)
  | { readonly event: "committed" }
  | { readonly event: "left" }
  | { readonly event: "failed"; readonly message: string };

export function base64Of(bytes: Uint8Array | string | null | undefined): Base64 | null {
  if (bytes === null || bytes === undefined) return null;
  return Buffer.from(bytes as Uint8Array).toString("base64");
}

export function bytesOf(text: Base64): Buffer;
export function bytesOf(text: Base64 | null): Buffer | null;
export function bytesOf(text: Base64 | null): Buffer | null {
  return text === null ? null : Buffer.from(text, "base64");
}
