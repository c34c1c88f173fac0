import type { Field, Fields, PrimitiveName } from "../schema/field.ts";
import { includesVersion, parseVersions } from "../schema/versions.ts";
import { ZERO_UUID } from "../uuid.ts";

/** A schema with its version ranges resolved for one version. */
export interface StructPlan {
  /** Names the struct in generated code: unique in its message. */
  readonly id: string;
  readonly flexible: boolean;
  /** All fields, also absent ones, in wire order. */
  readonly fields: readonly FieldPlan[];
}

export interface FieldPlan {
  readonly name: string;
  /** From the message down, for the text of errors. */
  readonly path: string;
  readonly place:
    | { readonly tag: "body" }
    | { readonly tag: "tagged"; readonly id: number }
    | { readonly tag: "absent" };
  readonly value: ValuePlan;
  readonly nullable: boolean;
  /** Whether the caller may leave it out. */
  readonly optional: boolean;
  readonly default: DefaultValue;
  readonly ignorable: boolean;
}

export type ElementPlan =
  | { readonly tag: "primitive"; readonly type: PrimitiveName }
  | { readonly tag: "struct"; readonly struct: StructPlan };

export type ValuePlan = ElementPlan | { readonly tag: "array"; readonly element: ElementPlan };

export type DefaultValue =
  | { readonly tag: "scalar"; readonly value: number | boolean | string | null }
  | { readonly tag: "no bytes" }
  | { readonly tag: "no elements" }
  | { readonly tag: "struct of defaults" };

/** @throws TypeError for a schema that is none: a name that is no identifier, a tag in a version that is not flexible, tagged records. */
export function planMessage(
  name: string,
  fields: Fields,
  version: number,
  flexible: boolean,
): StructPlan {
  return planStruct({ id: name, path: name, fields, version, flexible });
}

interface Scope {
  readonly id: string;
  readonly path: string;
  readonly fields: Fields;
  readonly version: number;
  readonly flexible: boolean;
}

function planStruct(scope: Scope): StructPlan {
  return {
    id: scope.id,
    flexible: scope.flexible,
    fields: scope.fields.map((field) => planField(field, scope)),
  };
}

function planField(field: Field, scope: Scope): FieldPlan {
  // Names become identifiers of generated code.
  if (!/^[a-z][A-Za-z0-9]*$/.test(field.name))
    throw new TypeError(`"${field.name}" is not a field name`);
  const path = `${scope.path}.${field.name}`;
  const present =
    field.versions === undefined || includesVersion(parseVersions(field.versions), scope.version);
  if (present && field.tag !== undefined && !scope.flexible)
    throw new TypeError(`${path} is tagged in a version without tags`);
  if (field.tag !== undefined && hasRecords(field))
    throw new TypeError(`${path}: records in a tagged field`);
  return {
    name: field.name,
    path,
    place: !present
      ? { tag: "absent" }
      : field.tag === undefined
        ? { tag: "body" }
        : { tag: "tagged", id: field.tag },
    value: planValue(field, { ...scope, id: `${scope.id}_${field.name}`, path }),
    nullable:
      field.nullable === true ||
      (field.nullable !== undefined &&
        includesVersion(parseVersions(field.nullable), scope.version)),
    optional:
      field.default !== undefined || field.versions !== undefined || field.tag !== undefined,
    default: defaultOf(field),
    ignorable: field.ignorable === true,
  };
}

function planValue(field: Field, scope: Scope): ValuePlan {
  if ("type" in field) return { tag: "primitive", type: field.type };
  if ("struct" in field)
    return { tag: "struct", struct: planStruct({ ...scope, fields: field.struct }) };
  const { array } = field;
  if (typeof array === "string")
    return { tag: "array", element: { tag: "primitive", type: array } };
  return {
    tag: "array",
    element: { tag: "struct", struct: planStruct({ ...scope, fields: array }) },
  };
}

function defaultOf(field: Field): DefaultValue {
  if (field.default !== undefined) return { tag: "scalar", value: field.default };
  if ("array" in field) return { tag: "no elements" };
  if ("struct" in field) return { tag: "struct of defaults" };
  if (field.type === "bytes" || field.type === "records") return { tag: "no bytes" };
  return { tag: "scalar", value: zeroOf(field.type) };
}

/** Records are borrowed by encoders; a tagged field is sized and written on its own. */
function hasRecords(field: Field): boolean {
  if ("type" in field) return field.type === "records";
  const inner = "array" in field ? field.array : field.struct;
  return typeof inner === "string" ? inner === "records" : inner.some(hasRecords);
}

function zeroOf(type: PrimitiveName): number | boolean | string {
  if (type === "string") return "";
  if (type === "uuid") return ZERO_UUID;
  return type === "bool" ? false : 0;
}

const fixedBytes: Partial<Record<PrimitiveName, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  int64Clamped: 8,
  float64: 8,
  uuid: 16,
};

/** Wire bytes of a primitive; undefined when they depend on the value. */
export function fixedBytesOf(type: PrimitiveName): number | undefined {
  return fixedBytes[type];
}

/** The fewest wire bytes that a value takes: what bounds the counts of arrays. */
export function bytesMinOf(value: ValuePlan, nullable: boolean, flexible: boolean): number {
  switch (value.tag) {
    case "primitive":
      return fixedBytes[value.type] ?? (flexible ? 1 : value.type === "string" ? 2 : 4);
    case "array":
      return flexible ? 1 : 4;
    case "struct":
      return nullable ? 1 : structBytesMin(value.struct);
  }
}

function structBytesMin(struct: StructPlan): number {
  let bytes = struct.flexible ? 1 : 0;
  for (const field of struct.fields) {
    if (field.place.tag === "body")
      bytes += bytesMinOf(field.value, field.nullable, struct.flexible);
  }
  return bytes;
}
