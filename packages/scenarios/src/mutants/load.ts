// Node's `--import …/load.js?mutant=ID`: the built file that the mutant changes is loaded with its bug. See `node-args.ts`.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import type { Replacement } from "./hooks.ts";
import { mutantNamed } from "./list.ts";
import { builtFileOf, planted } from "./mutant.ts";

const mutant = mutantNamed(new URL(import.meta.url).searchParams.get("mutant") ?? "");
const url = new URL(`../../../../${builtFileOf(mutant)}`, import.meta.url);
const data: Replacement = {
  url: url.href,
  source: planted(mutant, readFileSync(fileURLToPath(url), "utf8")),
};
register("./hooks.js", { parentURL: import.meta.url, data });
