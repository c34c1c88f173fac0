import { parseArgs } from "node:util";
import { karstError } from "../errors.ts";
import { suggestion } from "../nearest.ts";

/** What an option takes: nothing, a value once, or a value each time. */
export type OptionKind = "flag" | "value" | "values";

export type OptionTable = Readonly<Record<string, OptionKind>>;

export type Parsed<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: Table[Name] extends "flag"
    ? true
    : Table[Name] extends "value"
      ? string
      : readonly string[];
};

const SHORT: Readonly<Record<string, string>> = { h: "help", v: "version", p: "port" };

/**
 * Reads `--name`, `--name value` and `--name=value`.
 *
 * @throws KarstError `INVALID_OPTIONS` (`invalid`) on what is unknown, naming the nearest option; given twice; or without its value.
 */
export function parseOptions<Table extends OptionTable>(
  args: readonly string[],
  table: Table,
): Parsed<Table> {
  const names = Object.keys(table);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      names.map((name) => [
        name,
        {
          type: table[name] === "flag" ? ("boolean" as const) : ("string" as const),
          ...shortOf(name),
        },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const parsed: Record<string, true | string | string[]> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw karstError(
        "INVALID_OPTIONS",
        `"${token.value}" is not an option: options begin with --`,
      );
    }
    const kind = table[token.name];
    if (kind === undefined || !Object.hasOwn(table, token.name)) {
      const options = names.map((name) => `--${name}`);
      throw karstError(
        "INVALID_OPTIONS",
        `unknown option ${token.rawName}${suggestion(`--${token.name}`, options)}`,
      );
    }
    parsed[token.name] = valueOf(token.rawName, kind, token.value, parsed[token.name]);
  }
  return parsed as Parsed<Table>;
}

function valueOf(
  option: string,
  kind: OptionKind,
  value: string | undefined,
  before: true | string | string[] | undefined,
): true | string | string[] {
  if (kind === "flag") {
    if (value !== undefined) throw karstError("INVALID_OPTIONS", `${option} takes no value`);
    return true;
  }
  if (value === undefined || (value.startsWith("--") && value.length > 2)) {
    throw karstError("INVALID_OPTIONS", `${option} needs a value`);
  }
  if (kind === "values") return [...((before as string[] | undefined) ?? []), value];
  if (before !== undefined) throw karstError("INVALID_OPTIONS", `${option} is given twice`);
  return value;
}

function shortOf(name: string): { readonly short?: string } {
  const short = Object.keys(SHORT).find((letter) => SHORT[letter] === name);
  return short === undefined ? {} : { short };
}
