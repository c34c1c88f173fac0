interface Range {
  readonly from: number;
  readonly to: number;
}

/** A set of offsets. Invariant: ranges are sorted, not empty, and do not touch. */
export class Ranges {
  #ranges: readonly Range[] = [];

  add(from: number, to: number): void {
    if (from >= to) return;
    const before = this.#ranges.filter((one) => one.to < from);
    const after = this.#ranges.filter((one) => one.from > to);
    const touching = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const merged = {
      from: Math.min(from, ...touching.map((one) => one.from)),
      to: Math.max(to, ...touching.map((one) => one.to)),
    };
    this.#ranges = [...before, merged, ...after];
  }

  /** The first offset of [from, to) that is not in it. */
  firstGap(from: number, to: number): number | undefined {
    const end = this.#ranges.find((one) => one.from <= from && from < one.to)?.to ?? from;
    return end < to ? end : undefined;
  }
}
