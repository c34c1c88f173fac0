import type { Field, Fields, PrimitiveName } from "@karst/kafka-protocol";
import { isDeepStrictEqual } from "node:util";
import { defaultOf, isNullable, isPresent } from "./messages.ts";

/** An encoder as plain as it can be, to hold the compiled one against. Takes messages in which every field has a value. */
export function referenceEncode(
  fields: Fields,
  message: unknown,
  version: number,
  flexible: boolean,
): number[] {
  const values = message as Record<string, unknown>;
  const present = fields.filter((field) => isPresent(field, version));
  const bytes = present
    .filter((field) => field.tag === undefined)
    .flatMap((field) => encodeField(field, values[field.name], version, flexible));
  if (!flexible) return bytes;
  const tagged = present
    .filter(
      (field) =>
        field.tag !== undefined && !isDeepStrictEqual(values[field.name], defaultOf(field)),
    )
    .sort((a, b) => (a.tag as number) - (b.tag as number));
  bytes.push(...uvarint(tagged.length));
  for (const field of tagged) {
    const value = encodeField(field, values[field.name], version, flexible);
    bytes.push(...uvarint(field.tag as number), ...uvarint(value.length), ...value);
  }
  return bytes;
}

function encodeField(field: Field, value: unknown, version: number, flexible: boolean): number[] {
  const nullable = isNullable(field, version);
  if ("struct" in field) {
    if (value === null) return [0xff];
    return [...(nullable ? [1] : []), ...referenceEncode(field.struct, value, version, flexible)];
  }
  if ("type" in field) return encodePrimitive(field.type, value, flexible);
  const list = value as readonly unknown[] | null;
  const { array } = field;
  const elements = (list ?? []).flatMap((element) =>
    typeof array === "string"
      ? encodePrimitive(array, element, flexible)
      : referenceEncode(array, element, version, flexible),
  );
  return [...lengthPrefix(list?.length, 4, flexible), ...elements];
}

function encodePrimitive(type: PrimitiveName, value: unknown, flexible: boolean): number[] {
  if (type === "bool") return [value === true ? 1 : 0];
  if (type === "uuid") return [...Buffer.from(String(value), "hex")];
  if (type === "string" || type === "bytes" || type === "records") {
    const bytes =
      typeof value === "string"
        ? Buffer.from(value)
        : value instanceof Uint8Array
          ? value
          : undefined;
    return [...lengthPrefix(bytes?.length, type === "string" ? 2 : 4, flexible), ...(bytes ?? [])];
  }
  if (type === "float64") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(Number(value));
    return [...bytes];
  }
  return integer(type, value as number);
}

function integer(type: PrimitiveName, value: number): number[] {
  const size = type.startsWith("int64") ? 8 : Number(/\d+/.exec(type)?.[0]) / 8;
  let wide = BigInt(value);
  if (type === "int64Clamped" && value === Number.MAX_SAFE_INTEGER) wide = 2n ** 63n - 1n;
  if (type === "int64Clamped" && value === Number.MIN_SAFE_INTEGER) wide = -(2n ** 63n);
  const unsigned = BigInt.asUintN(size * 8, wide);
  return [...Buffer.from(unsigned.toString(16).padStart(size * 2, "0"), "hex")];
}

function lengthPrefix(length: number | undefined, bytes: 2 | 4, flexible: boolean): number[] {
  if (flexible) return uvarint(length === undefined ? 0 : length + 1);
  return integer(bytes === 2 ? "int16" : "int32", length ?? -1);
}

function uvarint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uvarint(value >>> 7)];
}
