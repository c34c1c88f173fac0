import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LEDGER } from "../proof/ledger.ts";
import { between } from "../proof/page.ts";
import type { Row } from "./rows.ts";

export const COMPATIBILITY_PAGE: string = join(dirname(LEDGER), "compatibility.md");
const RESULT = join(dirname(LEDGER), "results", "clients.json");

/** The page with the table of clients as docs/results/clients.json has it. */
export function compatibilityPageOf(page: string): string {
  if (!existsSync(RESULT)) return page;
  const { rows } = JSON.parse(readFileSync(RESULT, "utf8")) as { readonly rows: readonly Row[] };
  const table = ["| client | version | what was run | result |", "| --- | --- | --- | --- |"];
  return between(page, "clients", [...table, ...rows.map(lineOf)]);
}

export function writeCompatibilityPage(): void {
  const page = readFileSync(COMPATIBILITY_PAGE, "utf8");
  writeFileSync(COMPATIBILITY_PAGE, compatibilityPageOf(page));
}

function lineOf(row: Row): string {
  const name = `${row.client} (${row.language})`;
  if (row.tag === "missing") return `| ${name} | | | not run: ${cell(row.why)} |`;
  const { groups, codecs } = row;
  const unread = codecs.wrote.filter((codec) => !codecs.opened.includes(codec));
  const except = unread.length === 0 ? "" : ` (others' ${unread.join(", ")} not read)`;
  const ran = [
    `groups (${groups.map(({ assignor }) => assignor).join(", ")})`,
    `codecs ${codecs.wrote.join(", ")}${except}`,
  ];
  const rebalances = groups.reduce((sum, { result }) => sum + (result?.rebalances ?? 0), 0);
  const read = groups.reduce((sum, { result }) => sum + (result?.read ?? 0), codecs.read);
  const result =
    row.failures.length === 0
      ? `passed: ${rebalances} assignments, ${read} records read`
      : `**failed**: ${row.failures.map(cell).join("; ")}`;
  return `| ${name} | ${row.version}; ${row.library} | ${ran.join("; ")} | ${result} |`;
}

/** One line, without what ends a cell. */
function cell(text: string): string {
  return (text.split("\n")[0] ?? "").replaceAll("|", "\\|");
}
