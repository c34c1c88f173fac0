import { join } from "node:path";
import { mutantNamed } from "./list.ts";
import { planted } from "./mutant.ts";
import { ROOT } from "./node-args.ts";

/** As much of a plugin of vite as is needed here. */
export interface SourcePlugin {
  readonly name: string;
  readonly enforce: "pre";
  transform(code: string, id: string): { readonly code: string; readonly map: null } | undefined;
}

/** Makes tests that read the sources read a mutant's. `mutantId` undefined: changes nothing. */
export function plantedBug(mutantId: string | undefined): SourcePlugin {
  const mutant = mutantId === undefined ? undefined : mutantNamed(mutantId);
  const file = mutant && join(ROOT, mutant.file);
  return {
    name: "planted-bug",
    enforce: "pre",
    transform: (code, id) =>
      mutant !== undefined && id === file ? { code: planted(mutant, code), map: null } : undefined,
  };
}
