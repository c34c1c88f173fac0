import type { Bytes, BytesInput } from "./record.ts";

/** What is being encoded or decoded, for codecs that depend on it. */
export interface CodecContext {
  readonly topic: string;
  readonly part: "key" | "value";
}

/**
 * How a topic's keys or values become bytes. What `encode` accepts may be wider than what `decode` returns. Both are synchronous,
 * have no effects, and throw what they like: the caller sees `ENCODING_FAILED` or `DECODING_FAILED` with it as cause.
 */
export interface Codec<Value, Input = Value> {
  encode(value: Input, context: CodecContext): BytesInput;
  /** Null: a tombstone. */
  decode(bytes: Bytes, context: CodecContext): Value;
}

/** The part of Standard Schema (zod, valibot, arktype and others) that is used here. @see https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
