import { apis } from "@karst/kafka-protocol";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LEDGER } from "../proof/ledger.ts";
import { ACCEPTED, type Accepted } from "./accepted.ts";
import type { OracleReport } from "./oracle-run.ts";

const PAGE = join(dirname(LEDGER), "compatibility.md");
const BEGIN = "<!-- oracle -->\n";
const END = "<!-- /oracle -->";

/** Writes what a run has shown into docs/compatibility.md; the rest of the page stays. */
export function writeCompatibility(report: OracleReport): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "# Compatibility\n";
  writeFileSync(PAGE, pageWith(page, report));
}

/** The page with its section, which is appended where there is none. */
export function pageWith(page: string, report: OracleReport): string {
  const section = `${BEGIN}\n${sectionOf(report).join("\n")}\n\n${END}`;
  const from = page.indexOf(BEGIN);
  if (from < 0) return `${page.trimEnd()}\n\n## Compared with Apache Kafka\n\n${section}\n`;
  return `${page.slice(0, from)}${section}${page.slice(page.indexOf(END) + END.length)}`;
}

function sectionOf(report: OracleReport): readonly string[] {
  return [
    `The same requests go to Apache Kafka ${report.kafka} and to Karst, and the decoded answers are compared. Ids, clocks, words of`,
    "messages, the order of topics and partitions, and the topics in which Kafka keeps its own state are set aside. `npm run verify -- oracle` repeats it; docs/results/oracle.json has the last run.",
    ...sentenceOn(report.recorded),
    "",
    "| key | API | versions | compared | equal | accepted | differing |",
    "| --: | --- | --- | --: | --: | --: | --: |",
    ...report.apis.map(
      ({ key, name, versions, compared, equal, accepted, differing }) =>
        `| ${key} | ${name} | ${versions} | ${compared} | ${equal} | ${accepted} | ${differing} |`,
    ),
    "",
    "Differences that are meant so:",
    "",
    "| API | field | where | why |",
    "| --- | --- | --- | --- |",
    ...merged(ACCEPTED).map(
      ({ api, fields, cases, reason }) => `| ${api} | ${fields} | ${cases} | ${reason} |`,
    ),
  ];
}

function sentenceOn(recorded: OracleReport["recorded"]): readonly string[] {
  const parts = Object.entries(recorded).map(([client, requests]) => `${requests} of ${client}`);
  if (parts.length === 0) return [];
  return [
    `Most requests are generated; among them are ${parts.join(", ")}, recorded while they produced, and consumed in a group.`,
  ];
}

interface Row {
  readonly api: string;
  readonly fields: string;
  readonly cases: string;
  readonly reason: string;
}

/** One row per API and reason. */
function merged(all: readonly Accepted[]): readonly Row[] {
  const byReason = new Map<string, Accepted[]>();
  for (const each of all) {
    const id = `${each.apiKey ?? -1} ${each.reason}`;
    byReason.set(id, [...(byReason.get(id) ?? []), each]);
  }
  return [...byReason.values()]
    .map((group) => ({ group, key: group[0]?.apiKey ?? -1 }))
    .sort((a, b) => a.key - b.key)
    .map(({ group, key }) => ({
      api: apis.get(key)?.name ?? "any",
      fields: list(group.map(({ field }) => `\`${field}\``)),
      cases: list(group.flatMap((each) => (each.case === undefined ? [] : [quoted(each.case)]))),
      reason: group[0]?.reason ?? "",
    }));
}

function list(texts: readonly string[]): string {
  return [...new Set(texts)].join(", ");
}

function quoted(text: string): string {
  return `“${text.replaceAll("*", "…").replaceAll("|", "\\|")}”`;
}
