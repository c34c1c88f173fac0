import type { PrimitiveName } from "../schema/field.ts";
import { defaultSource, emptyScope, variableOf } from "./field-source.ts";
import { generate, SourceFunctions } from "./generate.ts";
import { bytesMinOf } from "./plan.ts";
import type { ElementPlan, FieldPlan, StructPlan } from "./plan.ts";
import type { Reader } from "./reader.ts";

/** Reads one message; it does not check that the bytes end with it. */
export type Decoder = (reader: Reader) => unknown;

/** Compiles a decoder: one function per struct, each making objects of one shape. */
export function compileDecoder(plan: StructPlan, label: string): Decoder {
  const functions = new SourceFunctions();
  const name = structFunction(plan, functions);
  return generate<Decoder>(functions.body(name), emptyScope, label);
}

/** Adds `function read_X(r)` for a struct and what it contains. @returns The function's name. */
function structFunction(struct: StructPlan, functions: SourceFunctions): string {
  const lines: string[] = [];
  const constants: string[] = [];
  const properties = struct.fields.map((field) => {
    if (field.place.tag === "absent")
      return `${field.name}: ${defaultOf(field, struct, constants)}`;
    const variable = variableOf(field);
    if (field.place.tag === "tagged")
      lines.push(`let ${variable} = ${defaultOf(field, struct, constants)};`);
    else lines.push(`const ${variable} = ${valueSource(field, struct, functions)};`);
    return `${field.name}: ${variable}`;
  });
  if (struct.flexible) lines.push(tagSection(struct, functions));
  const name = `read_${struct.id}`;
  functions.add(
    `${constants.join("\n")}\nfunction ${name}(r) {\n  ${lines.join("\n  ")}\n  return { ${properties.join(", ")} };\n}`,
  );
  return name;
}

/** A default, which may be shared between messages: it is frozen when it is an object. */
function defaultOf(field: FieldPlan, struct: StructPlan, constants: string[]): string {
  const literal = defaultSource(field);
  if (field.default.tag !== "struct of defaults") return literal;
  const name = `default_${struct.id}_${field.name}`;
  constants.push(`const ${name} = Object.freeze(${literal});`);
  return name;
}

function tagSection(struct: StructPlan, functions: SourceFunctions): string {
  const cases = struct.fields.flatMap((field) =>
    field.place.tag === "tagged"
      ? [
          `case ${field.place.id}: ${variableOf(field)} = ${valueSource(field, struct, functions)}; break;`,
        ]
      : [],
  );
  if (cases.length === 0) return "r.skipTags();";
  return `for (let left = r.uvarint(), tag = -1; left > 0; left -= 1) {
    tag = r.tag(tag);
    const outer = r.beginTagged();
    switch (tag) {
      ${cases.join("\n      ")}
      default: r.skipTagged();
    }
    r.endTagged(outer);
  }`;
}

/** An expression that reads the field. */
function valueSource(field: FieldPlan, struct: StructPlan, functions: SourceFunctions): string {
  const { value, nullable } = field;
  switch (value.tag) {
    case "primitive":
      return primitiveSource(value.type, nullable, struct.flexible);
    case "struct": {
      const read = `${structFunction(value.struct, functions)}(r)`;
      return nullable ? `(r.present() ? ${read} : null)` : read;
    }
    case "array":
      return `${arrayFunction(field, value.element, struct, functions)}(r)`;
  }
}

function primitiveSource(type: PrimitiveName, nullable: boolean, flexible: boolean): string {
  if (type !== "string" && type !== "bytes" && type !== "records") return `r.${type}()`;
  const noun = type === "string" ? "String" : "Bytes";
  const method = flexible ? `compact${noun}` : noun.toLowerCase();
  return `r.${method}${nullable ? "OrNull" : ""}()`;
}

/** Adds `function read_X_list(r)`. @returns The function's name. */
function arrayFunction(
  field: FieldPlan,
  element: ElementPlan,
  struct: StructPlan,
  functions: SourceFunctions,
): string {
  const read =
    element.tag === "struct"
      ? `${structFunction(element.struct, functions)}(r)`
      : primitiveSource(element.type, false, struct.flexible);
  const name = `read_${struct.id}_${field.name}_list`;
  const count = `${struct.flexible ? "compactCount" : "count"}${field.nullable ? "OrNull" : ""}`;
  // One element is the usual case, and an array that grows from none gets room for seventeen.
  functions.add(`function ${name}(r) {
  const count = r.${count}(${bytesMinOf(element, false, struct.flexible)});${field.nullable ? "\n  if (count < 0) return null;" : ""}
  if (count === 1) return [${read}];
  const list = [];
  for (let i = 0; i < count; i += 1) list.push(${read});
  return list;
}`);
  return name;
}
