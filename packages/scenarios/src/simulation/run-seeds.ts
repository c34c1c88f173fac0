import { type Family, Invariants, type SeedResult, Sometimes } from "@karst/testing";

export interface SeedsOptions {
  readonly family: Family;
  readonly first: number;
  readonly count: number;
  /** No further seed is begun after that. */
  readonly secondsMax?: number;
  /** Every seed is run again, and must come to the same trace. */
  readonly twice?: boolean;
  /** Goes on after a failing seed. */
  readonly keepGoing?: boolean;
}

export interface SeedFailure {
  readonly seed: number;
  readonly message: string;
}

/** What came of a run of seeds: plain data, so that it may come from another process. */
export interface SeedsReport {
  readonly family: string;
  readonly first: number;
  readonly seeds: number;
  readonly seconds: number;
  readonly simulatedMs: number;
  /** Of the seeds in which enough was done for their time to count. */
  readonly countedMs: number;
  readonly acknowledged: number;
  readonly checked: number;
  readonly faults: number;
  /** Distinct. */
  readonly crashStates: readonly number[];
  readonly sometimes: Readonly<Record<string, number>>;
  readonly invariants: Readonly<Partial<Record<string, number>>>;
  readonly failures: readonly SeedFailure[];
}

/** What a simulated hour must be filled with to count. */
const ACKNOWLEDGED_PER_SECOND = 50;
const FAULTS_PER_MINUTE = 1;

export async function runSeeds(options: SeedsOptions): Promise<SeedsReport> {
  const { family, first, count, secondsMax = Infinity, twice = false } = options;
  const beganMs = performance.now();
  const secondsSoFar = (): number => (performance.now() - beganMs) / 1_000;
  const sometimes = new Sometimes();
  const invariants = new Invariants();
  const crashStates = new Set<number>();
  const failures: SeedFailure[] = [];
  const sum = { seeds: 0, simulatedMs: 0, countedMs: 0, acknowledged: 0, checked: 0, faults: 0 };
  for (let seed = first; seed < first + count && secondsSoFar() < secondsMax; seed += 1) {
    try {
      const result = await family.run(seed);
      if (twice) checkSame(result, await family.run(seed));
      sum.seeds += 1;
      sum.simulatedMs += result.simulatedMs;
      if (isFull(result)) sum.countedMs += result.simulatedMs;
      sum.acknowledged += result.acknowledged;
      sum.checked += result.checked;
      sum.faults += result.faults;
      for (const state of result.crashStates) crashStates.add(state);
      sometimes.addAll(result.sometimes);
      invariants.addAll(result.invariants);
    } catch (error) {
      failures.push({
        seed,
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      if (options.keepGoing !== true) break;
    }
  }
  return {
    family: family.name,
    first,
    ...sum,
    seconds: secondsSoFar(),
    crashStates: [...crashStates],
    sometimes: sometimes.counts,
    invariants: invariants.counts,
    failures,
  };
}

/** Of several runs of seeds of one family. */
export function merged(reports: readonly SeedsReport[]): SeedsReport {
  const [one] = reports;
  if (one === undefined) throw new TypeError("no reports");
  const total = (of: (report: SeedsReport) => number): number =>
    reports.reduce((sum, report) => sum + of(report), 0);
  return {
    family: one.family,
    first: Math.min(...reports.map(({ first }) => first)),
    seeds: total(({ seeds }) => seeds),
    seconds: Math.max(...reports.map(({ seconds }) => seconds)),
    simulatedMs: total(({ simulatedMs }) => simulatedMs),
    countedMs: total(({ countedMs }) => countedMs),
    acknowledged: total(({ acknowledged }) => acknowledged),
    checked: total(({ checked }) => checked),
    faults: total(({ faults }) => faults),
    crashStates: [...new Set(reports.flatMap(({ crashStates }) => crashStates))],
    sometimes: sums(reports.map(({ sometimes }) => sometimes)),
    invariants: sums(reports.map(({ invariants }) => invariants)),
    failures: reports.flatMap(({ failures }) => failures),
  };
}

function sums(all: readonly Readonly<Partial<Record<string, number>>>[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const counts of all)
    for (const [name, count] of Object.entries(counts))
      totals.set(name, (totals.get(name) ?? 0) + (count ?? 0));
  return Object.fromEntries([...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isFull({ simulatedMs, acknowledged, faults }: SeedResult): boolean {
  return (
    acknowledged >= (simulatedMs / 1_000) * ACKNOWLEDGED_PER_SECOND &&
    faults >= (simulatedMs / 60_000) * FAULTS_PER_MINUTE
  );
}

function checkSame(first: SeedResult, again: SeedResult): void {
  if (first.trace !== again.trace)
    throw new Error(`the seed came to ${first.trace}, then to ${again.trace}`);
}
