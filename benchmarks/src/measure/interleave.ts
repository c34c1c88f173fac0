/** One of those that are compared. */
export interface Contestant<Outcome> {
  readonly name: string;
  /** One round. */
  run(): Promise<Outcome>;
  /** After each of its rounds, not timed. */
  rest?(): Promise<void>;
}

export interface InterleaveOptions {
  readonly rounds: number;
  /** Rounds of each that go before and are thrown away; default 1. */
  readonly warmUps?: number;
}

/**
 * Rounds in turn, A B C A B C …, so that what else the machine does falls on all alike.
 *
 * @returns the outcomes of each contestant, in order.
 */
export async function interleave<Outcome>(
  contestants: readonly Contestant<Outcome>[],
  { rounds, warmUps = 1 }: InterleaveOptions,
): Promise<ReadonlyMap<string, readonly Outcome[]>> {
  const outcomes = new Map(contestants.map(({ name }) => [name, [] as Outcome[]]));
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const contestant of contestants) {
      const outcome = await contestant.run();
      if (round >= warmUps) outcomes.get(contestant.name)?.push(outcome);
      await contestant.rest?.();
    }
  }
  return outcomes;
}
