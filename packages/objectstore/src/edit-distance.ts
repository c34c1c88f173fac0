/** Least number of insertions, removals, replacements and swaps of neighbours that turn `a` into `b`. For short words. */
export function editDistance(a: string, b: string): number {
  const distances = new Map<number, number>();
  const at = (i: number, j: number): number =>
    distances.get(i * (b.length + 1) + j) ?? Math.max(i, j);
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? at(i - 2, j - 2) + 1 : Infinity;
      distances.set(
        i * (b.length + 1) + j,
        Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped),
      );
    }
  }
  return at(a.length, b.length);
}
