import { crc32c, viewOf } from "@karst/runtime";

export const VALUE_BYTES = 1024;

/** Values that differ, in one array: whoever takes one copies it. */
export class ValueMaker {
  readonly #bytes = new Uint8Array(VALUE_BYTES).map((_, i) => (i * 131) & 0xff);
  readonly #view = viewOf(this.#bytes);

  of(index: number): Uint8Array {
    this.#view.setUint32(0, index);
    return this.#bytes;
  }
}

/** Of any order: appenders in flight together come in any. Mixed, as the CRCs of numbered values add up to nearly the same. */
export function addValue(sum: number, value: Uint8Array | null): number {
  const crc = crc32c(value ?? new Uint8Array(0));
  const mixed = Math.imul(crc ^ (crc >>> 15), 0x2c1b3c6d);
  return (sum + ((mixed ^ (mixed >>> 12)) >>> 0)) % 0x1_0000_0000;
}

/** What the values of `count` appends add up to, numbered anew after each `perRound`. */
export function checksumOfValues(count: number, perRound: number): number {
  const values = new ValueMaker();
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum = addValue(sum, values.of(i % perRound));
  return sum;
}
