/** What an opening finds, as far as it decides what happens. */
export interface Findings {
  /** The identity says that an opening came to its end before: there must be segments. */
  readonly opened: boolean;
  /** `trimmed`: segments, and all of them lie below the catalogue's trim. */
  readonly found: "nothing" | "trimmed" | "log";
  /** Something between the trim and the newest epoch is missing or damaged. */
  readonly gap: boolean;
  /** How far the log reaches: over everything that was durable once, or not. */
  readonly reach: "all" | "below-watermark" | "below-trim";
  /** Bytes that are no group follow the log's end. */
  readonly torn: boolean;
}

/**
 * `begin`: a new log. `continue`: after the last group. `cut`: likewise, and the torn tail is reported. `corrupt`, `stale`: refuse,
 * change nothing.
 */
export type Verdict = "begin" | "continue" | "cut" | "corrupt" | "stale";

type Row = { readonly [Name in keyof Findings]?: Findings[Name] } & { readonly verdict: Verdict };

/** The first row all of whose conditions hold decides. A tail is cut only where everything that was durable is there. */
export const RECOVERY_TABLE: readonly Row[] = [
  { found: "trimmed", verdict: "stale" },
  { found: "nothing", opened: true, verdict: "corrupt" },
  { found: "nothing", reach: "below-watermark", verdict: "corrupt" },
  { found: "nothing", reach: "below-trim", verdict: "stale" },
  { found: "nothing", verdict: "begin" },
  { gap: true, verdict: "corrupt" },
  { reach: "below-watermark", verdict: "corrupt" },
  { reach: "below-trim", verdict: "stale" },
  { torn: true, verdict: "cut" },
  { torn: false, verdict: "continue" },
];

export function decide(findings: Findings): Verdict {
  for (const row of RECOVERY_TABLE) {
    const { verdict, ...conditions } = row;
    const holds = Object.entries(conditions).every(
      ([name, value]) => findings[name as keyof Findings] === value,
    );
    if (holds) return verdict;
  }
  throw new TypeError("the recovery table has no row for its findings");
}
