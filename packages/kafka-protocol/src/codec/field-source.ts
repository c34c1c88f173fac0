import type { FieldPlan, StructPlan } from "./plan.ts";

/** What generated code calls the shared empty values. */
export const emptyScope: Readonly<Record<string, unknown>> = {
  NO_ELEMENTS: Object.freeze([]),
  NO_BYTES: new Uint8Array(0),
};

/** The field's variable; `$` keeps it apart from the names of generated code and of the language. */
export function variableOf(field: FieldPlan): string {
  return `$${field.name}`;
}

/** The field's path as a string literal. */
export function labelOf(field: FieldPlan): string {
  return JSON.stringify(field.path);
}

/** The tagged fields of the version, by ascending tag. */
export function taggedOf(struct: StructPlan): readonly FieldPlan[] {
  const id = (field: FieldPlan): number => (field.place.tag === "tagged" ? field.place.id : -1);
  return struct.fields.filter((field) => id(field) >= 0).sort((a, b) => id(a) - id(b));
}

/** The field's default. */
export function defaultSource(field: FieldPlan): string {
  switch (field.default.tag) {
    case "scalar":
      return JSON.stringify(field.default.value);
    case "no bytes":
      return "NO_BYTES";
    case "no elements":
      return "NO_ELEMENTS";
    case "struct of defaults":
      return structDefault(field);
  }
}

function structDefault(field: FieldPlan): string {
  if (field.value.tag !== "struct") return "undefined";
  const properties = field.value.struct.fields.map(
    (inner) => `${inner.name}: ${defaultSource(inner)}`,
  );
  return `{ ${properties.join(", ")} }`;
}

/** Declares the field's variable with its value in `o`; its default where the caller left it out and may do so. */
export function valueOf(field: FieldPlan): string {
  const given = `o.${field.name}`;
  const value = field.optional
    ? `${given} === undefined ? ${defaultSource(field)} : ${given}`
    : given;
  return `const ${variableOf(field)} = ${value};`;
}

/** Whether `o` has a value for the field that is not its default. */
export function givenSource(field: FieldPlan): string {
  return `o.${field.name} !== undefined && !(${isDefaultSource(field, `o.${field.name}`)})`;
}

/** Whether `value`, an expression that is not undefined, is the field's default. */
export function isDefaultSource(field: FieldPlan, value: string): string {
  switch (field.default.tag) {
    case "scalar":
      return `${value} === ${JSON.stringify(field.default.value)}`;
    case "no bytes":
    case "no elements":
      return `${value} !== null && ${value}.length === 0`;
    case "struct of defaults":
      return structIsDefault(field, value);
  }
}

function structIsDefault(field: FieldPlan, value: string): string {
  if (field.value.tag !== "struct") return "false";
  const conditions = field.value.struct.fields.map((inner) => {
    const innerValue = `${value}.${inner.name}`;
    return `(${innerValue} === undefined || ${isDefaultSource(inner, innerValue)})`;
  });
  return [`${value} !== null`, ...conditions].join(" && ");
}
