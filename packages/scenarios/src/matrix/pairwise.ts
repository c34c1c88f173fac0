/** The values of each dimension, by its name. */
export type Dimensions = Readonly<Record<string, readonly string[]>>;

/** One value of each dimension. */
export type CombinationOf<D extends Dimensions> = {
  readonly [Name in keyof D]: D[Name][number];
};

/**
 * Few combinations in which every pair of values of two dimensions occurs that occurs in an allowed one. Greedy: always the combination
 * with the most pairs that are still missing; of several the one whose values have been chosen least, and the first of those.
 */
export function pairwise<const D extends Dimensions>(
  dimensions: D,
  allowed: (combination: CombinationOf<D>) => boolean,
): CombinationOf<D>[] {
  const candidates = product(dimensions)
    .map((each) => each as CombinationOf<D>)
    .filter((each) => allowed(each));
  const missing = new Set(candidates.flatMap(pairsOf));
  const chosen: CombinationOf<D>[] = [];
  const usesOf = (combination: CombinationOf<D>): number =>
    chosen.reduce((sum, other) => sum + sharedOf(combination, other), 0);
  while (missing.size > 0) {
    const gainOf = (combination: CombinationOf<D>): number =>
      pairsOf(combination).filter((pair) => missing.has(pair)).length;
    const most = Math.max(...candidates.map(gainOf));
    const best = candidates.filter((combination) => gainOf(combination) === most);
    const fewest = Math.min(...best.map(usesOf));
    const taken = best.find((combination) => usesOf(combination) === fewest);
    if (taken === undefined) break;
    chosen.push(taken);
    for (const pair of pairsOf(taken)) missing.delete(pair);
  }
  return chosen;
}

/** Names of all pairs of values of two different dimensions in a combination. */
export function pairsOf(combination: Readonly<Record<string, string>>): string[] {
  const values = Object.entries(combination).map(([name, value]) => `${name}=${value}`);
  return values.flatMap((one, at) => values.slice(at + 1).map((other) => `${one} ${other}`));
}

/** In how many dimensions two have the same value. */
function sharedOf(one: Readonly<Record<string, string>>, other: typeof one): number {
  return Object.entries(one).filter(([name, value]) => other[name] === value).length;
}

function product(dimensions: Dimensions): Record<string, string>[] {
  return Object.entries(dimensions).reduce<Record<string, string>[]>(
    (partial, [name, values]) =>
      partial.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  );
}
