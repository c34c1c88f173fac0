/** One of those that are compared. */
export interface Contestant<Outcome> {
  readonly name: string;
  /** One round. */
  run(): Promise<Outcome>;
}

export interface InterleaveOptions {
  readonly rounds: number;
  /** Rounds of each that go before and are thrown away; default 1. */
  readonly warmUps?: number;
  /** After each round, not timed. */
  readonly rest?: () => Promise<void>;
}

/**
 * Rounds in turn, A B C A B C …, so that what else the machine does falls on all alike.
 *
 * @returns the outcomes of each contestant, in order.
 */
export async function interleave<Outcome>(
  contestants: readonly Contestant<Outcome>[],
  { rounds, warmUps = 1, rest = () => Promise.resolve() }: InterleaveOptions,
): Promise<ReadonlyMap<string, readonly Outcome[]>> {
  const outcomes = new Map(contestants.map(({ name }) => [name, [] as Outcome[]]));
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const { name, run } of contestants) {
      const outcome = await run();
      if (round >= warmUps) outcomes.get(name)?.push(outcome);
      await rest();
    }
  }
  return outcomes;
}
