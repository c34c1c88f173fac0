import type { Field, Fields, PrimitiveName } from "@karst/kafka-protocol";
import fc from "fast-check";
import { ZERO_UUID } from "@karst/kafka-protocol";
import { includesVersion, parseVersions } from "../../src/schema/versions.ts";

/** What goes in, and what must come out. */
export interface Sample {
  readonly input: Record<string, unknown>;
  readonly expected: Record<string, unknown>;
}

export function isPresent(field: Field, version: number): boolean {
  return field.versions === undefined || includesVersion(parseVersions(field.versions), version);
}

export function isNullable(field: Field, version: number): boolean {
  if (field.nullable === undefined || field.nullable === true) return field.nullable === true;
  return includesVersion(parseVersions(field.nullable), version);
}

/** The default of a field, which is what it has in versions without it. */
export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if ("array" in field) return [];
  if ("struct" in field) return defaultsOf(field.struct);
  const zeros: Partial<Record<PrimitiveName, unknown>> = {
    bool: false,
    string: "",
    uuid: ZERO_UUID,
    bytes: new Uint8Array(0),
    records: new Uint8Array(0),
  };
  return zeros[field.type] ?? 0;
}

function defaultsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.name, defaultOf(field)]));
}

/** Messages of one version, with what may be left out left out now and then. */
export function messages(fields: Fields, version: number): fc.Arbitrary<Sample> {
  return fc.tuple(...fields.map((field) => fieldSamples(field, version))).map((entries) => ({
    input: Object.fromEntries(entries.flatMap(([input]) => (input === undefined ? [] : [input]))),
    expected: Object.fromEntries(entries.map(([, expected]) => expected)),
  }));
}

type Entry = readonly [name: string, value: unknown];
type FieldSample = readonly [input: Entry | undefined, expected: Entry];

function fieldSamples(field: Field, version: number): fc.Arbitrary<FieldSample> {
  const { name } = field;
  const absent: FieldSample = [undefined, [name, defaultOf(field)]];
  if (!isPresent(field, version)) return fc.constant(absent);
  const given = valueSamples(field, version).map(([input, expected]): FieldSample => [
    [name, input],
    [name, expected],
  ]);
  const mayBeLeftOut =
    field.default !== undefined || field.versions !== undefined || field.tag !== undefined;
  return mayBeLeftOut ? fc.oneof({ weight: 4, arbitrary: given }, fc.constant(absent)) : given;
}

type ValueSample = readonly [input: unknown, expected: unknown];

function valueSamples(field: Field, version: number): fc.Arbitrary<ValueSample> {
  const value = presentSamples(field, version);
  if (!isNullable(field, version)) return value;
  return fc.oneof({ weight: 4, arbitrary: value }, fc.constant<ValueSample>([null, null]));
}

function presentSamples(field: Field, version: number): fc.Arbitrary<ValueSample> {
  if ("type" in field) return primitiveSamples(field.type);
  if ("struct" in field) return structSamples(field.struct, version);
  const { array } = field;
  const element =
    typeof array === "string" ? primitiveSamples(array) : structSamples(array, version);
  return fc
    .array(element, { maxLength: 3 })
    .map((list) => [list.map(([input]) => input), list.map(([, expected]) => expected)]);
}

function structSamples(fields: Fields, version: number): fc.Arbitrary<ValueSample> {
  return messages(fields, version).map(({ input, expected }) => [input, expected]);
}

const safeIntegers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom(
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 31,
    2 ** 32,
    -(2 ** 32),
    2 ** 32 - 1,
  ),
);

const byteArrays = fc.uint8Array({ maxLength: 20 });

const primitives: Readonly<Record<Exclude<PrimitiveName, "records">, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.oneof(fc.integer(), fc.constantFrom(-0x8000_0000, 0x7fff_ffff, -1)),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: safeIntegers,
  int64Clamped: safeIntegers,
  float64: fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString("hex")),
  string: fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 50 }),
    fc.string({ unit: "grapheme-ascii", minLength: 30, maxLength: 140 }),
  ),
  bytes: byteArrays,
};

function primitiveSamples(type: PrimitiveName): fc.Arbitrary<ValueSample> {
  if (type !== "records") return primitives[type].map((value) => [value, value]);
  const large = fc
    .integer({ min: 4000, max: 5000 })
    .map((length) => new Uint8Array(length).fill(length & 0xff));
  const slice = fc.oneof({ weight: 3, arbitrary: byteArrays }, large);
  return fc.oneof(
    slice.map((bytes): ValueSample => [bytes, bytes]),
    fc
      .array(slice, { maxLength: 3 })
      .map((slices): ValueSample => [slices, Uint8Array.from(Buffer.concat(slices))]),
  );
}
