/** Families of invariants, by the letters that their numbers begin with. */
export const FAMILIES = ["W", "O", "K", "F", "P", "CG", "IP", "PL"] as const;
export type InvariantFamily = (typeof FAMILIES)[number];

/**
 * A deliberate bug: a change of at most three lines in one source file, such as somebody could make by mistake.
 *
 * `from` stands once in the source and once in what is built of it, white space apart: so it has no types in it.
 */
export interface Mutant {
  /** `<family>-<what>` in lower case. */
  readonly id: string;
  /** The number of the invariant that it breaks. */
  readonly invariant: string;
  /** From the repository's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What it does to a user. */
  readonly harm: string;
  /** Families of worlds that it is looked for in, in this order. Default: `DEFAULT_WORLDS`. */
  readonly worlds?: readonly string[];
}

export const DEFAULT_WORLDS: readonly string[] = ["log", "cluster", "kafka", "wal"];

export const LINES_MAX = 3;

export function familyOf({ invariant }: Mutant): InvariantFamily {
  const family = FAMILIES.find((name) => new RegExp(`^${name}[0-9]+$`).test(invariant));
  if (family === undefined) throw new Error(`${invariant} is no invariant's number`);
  return family;
}

/** What is built of its file, from the repository's root. */
export function builtFileOf({ file }: Mutant): string {
  return file.replace("/src/", "/dist/").replace(/\.ts$/, ".js");
}

/** How often the text to change is there. */
export function occurrencesOf({ from }: Mutant, text: string): number {
  return [...text.matchAll(patternOf(from))].length;
}

/** The text with the bug in it. @throws Error where what it changes is not there exactly once. */
export function planted(mutant: Mutant, text: string): string {
  const count = occurrencesOf(mutant, text);
  if (count !== 1)
    throw new Error(`mutant ${mutant.id}: its text is ${count} times in ${mutant.file}`);
  return text.replace(patternOf(mutant.from), () => mutant.to);
}

/** The compiler breaks and indents lines in its own way. */
function patternOf(from: string): RegExp {
  const words = from.trim().split(/\s+/);
  return new RegExp(
    words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s*"),
    "g",
  );
}
