import { utf8Decode, utf8DecodeStrict } from "@karst/runtime";
import type { Codec, StandardIssue, StandardSchema } from "./api/codec.ts";
import type { Bytes, BytesInput } from "./api/record.ts";

/** Bytes as they are: what a topic without a codec uses. */
export const bytesCodec: Codec<Bytes, BytesInput> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
};

/** UTF-8 text; malformed sequences are refused. A tombstone is null. */
export const textCodec: Codec<string | null> = {
  encode: (value) => value,
  decode: (bytes) => (bytes === null ? null : utf8DecodeStrict(bytes)),
};

/** JSON. `undefined` cannot be encoded; null is a tombstone, and is what a tombstone decodes to. */
export function jsonCodec<Value = unknown>(): Codec<Value>;
/**
 * JSON of values that a schema accepts, checked both ways. The schema must be synchronous.
 *
 * @param schema any Standard Schema: zod, valibot, arktype and others.
 */
export function jsonCodec<Input, Output>(
  schema: StandardSchema<Input, Output>,
): Codec<Output, Input>;
export function jsonCodec(schema?: StandardSchema): Codec<unknown> {
  const checked = schema === undefined ? (value: unknown): unknown => value : validator(schema);
  return {
    encode(value) {
      const accepted = checked(value);
      if (accepted === null) return null;
      const text = JSON.stringify(accepted) as string | undefined;
      if (text === undefined) throw new TypeError(`a ${typeof accepted} has no JSON`);
      return text;
    },
    decode: (bytes) => checked(bytes === null ? null : JSON.parse(utf8Decode(bytes))),
  };
}

function validator(schema: StandardSchema): (value: unknown) => unknown {
  return (value) => {
    const result = schema["~standard"].validate(value);
    if (result instanceof Promise) {
      throw new TypeError(`the ${schema["~standard"].vendor} schema is asynchronous`);
    }
    if (result.issues !== undefined) throw new TypeError(result.issues.map(describe).join("; "));
    return result.value;
  };
}

function describe(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step));
  return path.length === 0 ? issue.message : `${path.join(".")}: ${issue.message}`;
}
