import type { PrimitiveName } from "../schema/field.ts";
import { givenSource, labelOf, taggedOf, valueOf, variableOf } from "./field-source.ts";
import type { ElementPlan, FieldPlan, StructPlan } from "./plan.ts";
import { sizeField } from "./size-source.ts";

/** Source of `write_X(o, w)`. */
export function writeStruct(struct: StructPlan): string {
  const lines: string[] = [];
  for (const field of struct.fields) {
    if (field.place.tag === "body") lines.push(valueOf(field), writeField(field, struct));
  }
  if (struct.flexible) lines.push(writeTags(taggedOf(struct), struct));
  return `function write_${struct.id}(o, w) {\n  ${lines.join("\n  ")}\n}`;
}

/** A statement that writes the field, whose value is in its variable. */
function writeField(field: FieldPlan, struct: StructPlan): string {
  const { value } = field;
  const name = variableOf(field);
  switch (value.tag) {
    case "primitive":
      return `${writePrimitive(value.type, name, field, struct)};`;
    case "struct": {
      const write = `write_${value.struct.id}(${name}, w);`;
      return field.nullable
        ? `w.int8(${name} === null ? -1 : 1, ${labelOf(field)}); if (${name} !== null) ${write}`
        : write;
    }
    case "array": {
      const each = writeElement(value.element, `${name}[i]`, field, struct);
      const all = `for (let i = 0; i < ${name}.length; i += 1) ${each};`;
      return `w.${struct.flexible ? "compactCount" : "count"}(${name}); ${field.nullable ? `if (${name} !== null) ` : ""}${all}`;
    }
  }
}

function writeElement(
  element: ElementPlan,
  value: string,
  field: FieldPlan,
  struct: StructPlan,
): string {
  return element.tag === "struct"
    ? `write_${element.struct.id}(${value}, w)`
    : writePrimitive(element.type, value, field, struct);
}

function writePrimitive(
  type: PrimitiveName,
  value: string,
  field: FieldPlan,
  struct: StructPlan,
): string {
  const lengthPrefixed = type === "string" || type === "bytes" || type === "records";
  const method =
    lengthPrefixed && struct.flexible ? `compact${type[0]?.toUpperCase()}${type.slice(1)}` : type;
  return `w.${method}(${value}, ${labelOf(field)})`;
}

/** The tag section; a tagged field's size precedes it, so that it is computed once more. */
function writeTags(tagged: readonly FieldPlan[], struct: StructPlan): string {
  if (tagged.length === 0) return "w.uvarint(0);";
  const given = tagged.map((field) => `const has_${field.name} = ${givenSource(field)};`);
  const count = tagged.map((field) => `(has_${field.name} ? 1 : 0)`).join(" + ");
  const each = tagged.map(
    (field) => `if (has_${field.name}) {
    ${valueOf(field)}
    let n = 0;
    ${sizeField(field, struct)}
    w.uvarint(${field.place.tag === "tagged" ? field.place.id : 0});
    w.uvarint(n);
    ${writeField(field, struct)}
  }`,
  );
  return [...given, `w.uvarint(${count});`, "const borrowed = null;", ...each].join("\n  ");
}
