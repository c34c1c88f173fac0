/** The candidate that is at most two edits, or a prefix, away from `word` either way; undefined: none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const given = word.toLowerCase();
  let best: string | undefined;
  let bestEdits = 3;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const part = given.length >= 2 && (known.startsWith(given) || given.startsWith(known));
    const edits = part ? 1 : editDistance(given, known);
    if (edits < bestEdits && edits < known.length) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** `; did you mean …?`, or what there is where nothing is near. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? `; there are: ${candidates.join(", ")}` : `; did you mean ${near}?`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(
        Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + change),
      );
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
