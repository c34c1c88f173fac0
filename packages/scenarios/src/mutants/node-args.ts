import { fileURLToPath } from "node:url";

/** The built one, also where this runs from the sources. */
const LOADER = new URL("../../dist/mutants/load.js", import.meta.url);

export const ROOT: string = fileURLToPath(new URL("../../../../", import.meta.url));

/** An argument of Node, or a part of NODE_OPTIONS, that makes it load the mutant, in its workers too. */
export function nodeArgsOf(mutantId: string): string[] {
  return [`--import=${LOADER.href}?mutant=${mutantId}`];
}
