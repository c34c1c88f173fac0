/** What several rounds gave, in one unit. */
export interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function figuresOf(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** Of ascending values, interpolated; NaN of none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** `ours` over `theirs`, round by round: neighbours in time shared the machine's mood. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): Figures {
  return figuresOf(ours.map((value, round) => value / (theirs[round] as number)));
}
