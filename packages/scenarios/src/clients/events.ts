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

/** The offset after the last record that was read. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * When a member commits what it has read: when it is told to; never; by itself, every few records; or whenever its client does.
 */
export type CommitMode = "asked" | "never" | "often" | "client";

/** Of a member of a group. */
export type MemberEvent =
  /** `memberId`: where the client tells it. */
  | {
      readonly event: "assigned";
      readonly partitions: readonly Place[];
      readonly memberId?: string;
    }
  | { readonly event: "revoked"; readonly partitions: readonly Place[] }
  /** The broker has confirmed that it is in this generation. */
  | { readonly event: "confirmed"; readonly memberId: string; readonly generation: number }
  | ({ readonly event: "record" } & ReadRecord)
  /** A batch was decompressed. */
  | { readonly event: "opened"; readonly codec: CodecName }
  /** It is about to. */
  | { readonly event: "committing"; readonly positions: readonly Position[] }
  /** Without positions: all that it has told. */
  | { readonly event: "committed"; readonly positions?: readonly Position[] }
  /** It does nothing any more. */
  | { readonly event: "hangs" }
  | { readonly event: "left" };

export type DriverEvent =
  | { readonly event: "version"; readonly client: string; readonly library: string }
  | {
      readonly event: "acknowledged";
      readonly index: number;
      readonly partition: number;
      readonly offset: number;
    }
  | MemberEvent
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

/** What is not there is no text. */
export function textOf(bytes: Base64 | null): string {
  return bytesOf(bytes)?.toString() ?? "";
}
