import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { INVARIANTS } from "@karst/testing";
import { LEDGER, readLedger, type Totals, totalsOf } from "./ledger.ts";

export const PAGE: string = join(dirname(LEDGER), "reliability.md");

const FIGURES: Readonly<Record<keyof Totals, string>> = {
  simulatedHours: "simulated hours under load and faults",
  seeds: "seeds of simulated worlds",
  crashStates: "crash states, each opened again",
  checkedOperations: "operations checked",
  kills: "processes killed",
  killsInFlight: "of them with appends in flight",
  powerCuts: "power cuts of a mounted file system",
  fuzzExecutions: "inputs given to decoders",
  mutants: "mutants",
  mutantsCaught: "of them caught",
};

/** The page with its figures and its list of invariants as they are now. */
export function pageOf(page: string): string {
  const totals = totalsOf(readLedger());
  const figures = Object.entries(FIGURES).map(
    ([name, what]) => `| ${what} | ${totals[name as keyof Totals].toLocaleString("en")} |`,
  );
  const invariants = Object.entries(INVARIANTS).map(([id, says]) => `| ${id} | ${says} |`);
  return between(
    between(page, "figures", ["| what | so far |", "| --- | ---: |", ...figures]),
    "invariants",
    ["| number | says |", "| --- | --- |", ...invariants],
  );
}

export function writePage(): void {
  writeFileSync(PAGE, pageOf(readFileSync(PAGE, "utf8")));
}

/** A page with these lines between its marks of that name. @throws Error where it has none. */
export function between(page: string, name: string, lines: readonly string[]): string {
  const begin = `<!-- ${name} -->\n`;
  const end = `<!-- /${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no place for its ${name}`);
  return `${page.slice(0, from + begin.length)}\n${lines.join("\n")}\n\n${page.slice(to)}`;
}
