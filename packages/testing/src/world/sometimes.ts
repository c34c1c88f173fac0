/** How often what should happen now and then has happened: a run that never goes where bugs would be proves nothing. */
export class Sometimes {
  readonly #counts = new Map<string, number>();

  add(label: string, amount: number = 1): void {
    this.#counts.set(label, this.of(label) + amount);
  }

  of(label: string): number {
    return this.#counts.get(label) ?? 0;
  }

  addAll(other: Sometimes): void {
    for (const [label, amount] of other.#counts) this.add(label, amount);
  }

  /** Those of `labels` that have not happened. */
  missing(labels: readonly string[]): readonly string[] {
    return labels.filter((label) => this.of(label) === 0);
  }

  /** By label, sorted. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  toString(): string {
    return Object.entries(this.counts)
      .map(([label, amount]) => `${label} ${amount}`)
      .join(", ");
  }
}
