import { emptyScope } from "./field-source.ts";
import { generate, SourceFunctions } from "./generate.ts";
import type { StructPlan } from "./plan.ts";
import { sizeStruct } from "./size-source.ts";
import * as sizes from "./sizes.ts";
import type { BorrowedBytes } from "./sizes.ts";
import { writeStruct } from "./write-source.ts";
import type { Writer } from "./writer.ts";

/** Both passes throw TypeError for a value that the version cannot carry; the first checks what the second relies on. */
export interface Encoder {
  /** Bytes in the writer's own buffer; record payloads that are not copied are added to `borrowed`. */
  size(message: unknown, borrowed: BorrowedBytes): number;
  write(message: unknown, writer: Writer): void;
}

/** Compiles an encoder: a sizing and a writing function per struct. */
export function compileEncoder(plan: StructPlan, label: string): Encoder {
  const functions = new SourceFunctions();
  addStruct(plan, functions);
  const body = functions.body(`{ size: size_${plan.id}, write: write_${plan.id} }`);
  return generate<Encoder>(body, { ...emptyScope, ...sizes }, label);
}

function addStruct(struct: StructPlan, functions: SourceFunctions): void {
  for (const { value } of struct.fields) {
    if (value.tag === "struct") addStruct(value.struct, functions);
    if (value.tag === "array" && value.element.tag === "struct")
      addStruct(value.element.struct, functions);
  }
  functions.add(sizeStruct(struct));
  functions.add(writeStruct(struct));
}
