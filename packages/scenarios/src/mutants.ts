import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A deliberate bug: the text of a built file is changed as Node loads it. */
export type Mutant = "ack-before-sync";

interface Change {
  /** A built file, resolved from here. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const changes: Readonly<Record<Mutant, Change>> = {
  "ack-before-sync": {
    file: "../../core/dist/stream/durability.js",
    from: "log.lastAppend = group.promise;",
    to: "log.lastAppend = group.promise; this.advance(end);",
  },
};

/** Arguments of Node that make it load the mutant. Fails where the text to change is not there exactly once. */
export function nodeArgsOf(mutant: Mutant): string[] {
  const { file, from, to } = changes[mutant];
  const url = new URL(file, import.meta.url);
  const source = readFileSync(fileURLToPath(url), "utf8");
  if (source.split(from).length !== 2)
    throw new Error(`mutant ${mutant}: ${file} does not have its text exactly once`);
  const mutated = source.replace(from, () => to);
  const hooks = `
    export async function load(url, context, next) {
      return url === ${JSON.stringify(url.href)}
        ? { format: "module", shortCircuit: true, source: ${JSON.stringify(mutated)} }
        : next(url, context);
    }`;
  const register = `
    import { register } from "node:module";
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
  return ["--import", `data:text/javascript,${encodeURIComponent(register)}`];
}
