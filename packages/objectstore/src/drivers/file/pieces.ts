import { GATHER_BELOW_BYTES, WRITE_PIECE_BYTES } from "../../limits.ts";

/**
 * The parts' bytes, in order, in pieces of at most `WRITE_PIECE_BYTES`: long parts as views, short ones gathered in a buffer
 * that is used again. A piece is valid until the next one is asked for.
 */
export function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  let gathered: Uint8Array | undefined;
  let fill = 0;
  for (const part of parts) {
    let at = 0;
    while (at < part.length) {
      const left = part.length - at;
      if (fill === 0 && (left >= GATHER_BELOW_BYTES || left === bytes)) {
        const end = at + Math.min(left, WRITE_PIECE_BYTES);
        yield part.subarray(at, end);
        at = end;
        continue;
      }
      gathered ??= new Uint8Array(Math.min(WRITE_PIECE_BYTES, bytes));
      const take = Math.min(left, gathered.length - fill);
      gathered.set(part.subarray(at, at + take), fill);
      fill += take;
      at += take;
      if (fill < gathered.length) continue;
      yield gathered;
      fill = 0;
    }
  }
  if (gathered !== undefined && fill > 0) yield gathered.subarray(0, fill);
}
