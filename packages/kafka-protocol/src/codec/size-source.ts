import type { PrimitiveName } from "../schema/field.ts";
import {
  givenSource,
  isDefaultSource,
  labelOf,
  taggedOf,
  valueOf,
  variableOf,
} from "./field-source.ts";
import { fixedBytesOf } from "./plan.ts";
import type { ElementPlan, FieldPlan, StructPlan, ValuePlan } from "./plan.ts";

/** Source of `size_X(o, borrowed)`: the struct's bytes. */
export function sizeStruct(struct: StructPlan): string {
  const lines: string[] = [];
  let fixed = 0;
  for (const field of struct.fields) {
    const bytes = field.value.tag === "primitive" ? fixedBytesOf(field.value.type) : undefined;
    if (field.place.tag === "absent") lines.push(refuseAbsent(field));
    else if (field.place.tag === "body" && bytes !== undefined) fixed += bytes;
    else if (field.place.tag === "body") lines.push(valueOf(field), sizeField(field, struct));
  }
  const tagged = taggedOf(struct);
  if (tagged.length > 0) lines.push(sizeTags(tagged, struct));
  else if (struct.flexible) fixed += 1;
  return `function size_${struct.id}(o, borrowed) {\n  let n = ${fixed};\n  ${lines.join("\n  ")}\n  return n;\n}`;
}

/** A statement that adds the bytes of the field, whose value is in its variable, to `n`. */
export function sizeField(field: FieldPlan, struct: StructPlan): string {
  const { value } = field;
  const name = variableOf(field);
  if (value.tag === "struct") {
    const size = `n += size_${value.struct.id}(${name}, borrowed);`;
    return field.nullable ? `n += 1; if (${name} !== null) ${size}` : size;
  }
  const size =
    value.tag === "array"
      ? sizeArray(field, value.element, struct)
      : `n += ${sizeOfPrimitive(value.type, name, field, struct)};`;
  return field.nullable
    ? `if (${name} === null) n += ${bytesOfNull(value, struct)}; else { ${size} }`
    : size;
}

/** A value that would be lost is refused, unless the schema says that it may be. */
function refuseAbsent(field: FieldPlan): string {
  if (field.ignorable) return "";
  const value = `o.${field.name}`;
  return `if (${value} !== undefined && !(${isDefaultSource(field, value)})) throw absent(${labelOf(field)});`;
}

function sizeTags(tagged: readonly FieldPlan[], struct: StructPlan): string {
  const each = tagged.map(
    (field) => `if (${givenSource(field)}) {
    const before = n;
    ${valueOf(field)}
    ${sizeField(field, struct)}
    n += sizeOfUvarint(n - before) + sizeOfUvarint(${field.place.tag === "tagged" ? field.place.id : 0});
    tags += 1;
  }`,
  );
  return `let tags = 0;\n  ${each.join("\n  ")}\n  n += sizeOfUvarint(tags);`;
}

function bytesOfNull(value: ValuePlan, struct: StructPlan): number {
  if (struct.flexible) return 1;
  return value.tag === "primitive" && value.type === "string" ? 2 : 4;
}

function sizeArray(field: FieldPlan, element: ElementPlan, struct: StructPlan): string {
  const name = variableOf(field);
  const prefix = struct.flexible ? `sizeOfUvarint(${name}.length + 1)` : "4";
  const start = `arrayOf(${name}, ${labelOf(field)}); n += ${prefix};`;
  const bytes = element.tag === "primitive" ? fixedBytesOf(element.type) : undefined;
  if (bytes !== undefined) return `${start} n += ${name}.length * ${bytes};`;
  const each =
    element.tag === "struct"
      ? `size_${element.struct.id}(${name}[i], borrowed)`
      : sizeOfPrimitive(element.type, `${name}[i]`, field, struct);
  return `${start} for (let i = 0; i < ${name}.length; i += 1) n += ${each};`;
}

function sizeOfPrimitive(
  type: PrimitiveName,
  value: string,
  field: FieldPlan,
  struct: StructPlan,
): string {
  const fixed = fixedBytesOf(type);
  if (fixed !== undefined) return String(fixed);
  const compact = struct.flexible ? "Compact" : "";
  const path = labelOf(field);
  if (type === "records") return `sizeOf${compact}Records(${value}, ${path}, borrowed)`;
  return `sizeOf${compact}${type === "string" ? "String" : "Bytes"}(${value}, ${path})`;
}
