/**
 * Leaves out of a list whatever may be left out while `fails` still says so: halves, then quarters, down to single items, until
 * nothing more can go.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = items;
  for (;;) {
    const before = left.length;
    for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < left.length;) {
        const fewer = [...left.slice(0, at), ...left.slice(at + size)];
        if (await fails(fewer)) left = fewer;
        else at += size;
      }
    }
    if (left.length === before) return left;
  }
}
