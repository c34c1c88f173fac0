import type { LogOperation } from "./history.ts";

const NOBODY = -1;

/**
 * When each step of a value that only grows must have happened: not before some operations began, not after some ended.
 *
 * Step k takes effect at one time, and never before step k − 1. An operation that saw the value after step k bounds it from above (its
 * end); one that saw it before step k bounds it from below (its beginning). All bounds are of this kind, so the earliest times are a
 * solution wherever there is one.
 */
export class StepBounds {
  readonly #operations: readonly LogOperation[];
  /** The greatest beginning of those that did not see the step, and whose it is. */
  readonly #notBefore: Float64Array;
  readonly #notBeforeBy: Int32Array;
  /** The least end of those that saw it. */
  readonly #notAfter: Float64Array;
  readonly #notAfterBy: Int32Array;

  constructor(count: number, operations: readonly LogOperation[]) {
    this.#operations = operations;
    this.#notBefore = new Float64Array(count).fill(-Infinity);
    this.#notBeforeBy = new Int32Array(count).fill(NOBODY);
    this.#notAfter = new Float64Array(count).fill(Infinity);
    this.#notAfterBy = new Int32Array(count).fill(NOBODY);
  }

  /** Operation `index` did not see the step, at one moment. */
  absent(step: number, index: number): void {
    const { invokedAt } = this.#operations[index] as LogOperation;
    if (invokedAt <= (this.#notBefore[step] as number)) return;
    this.#notBefore[step] = invokedAt;
    this.#notBeforeBy[step] = index;
  }

  /** Operation `index` saw the step, at one moment. */
  present(step: number, index: number): void {
    const { returnedAt } = this.#operations[index] as LogOperation;
    if (returnedAt >= (this.#notAfter[step] as number)) return;
    this.#notAfter[step] = returnedAt;
    this.#notAfterBy[step] = index;
  }

  notBefore(step: number): number {
    return this.#notBefore[step] as number;
  }

  notAfter(step: number): number {
    return this.#notAfter[step] as number;
  }

  /** Who did not see the step, and began last. */
  lastAbsent(step: number): LogOperation | undefined {
    return this.#operations[this.#notBeforeBy[step] as number];
  }

  /** Who saw the step, and ended first. */
  firstPresent(step: number): LogOperation | undefined {
    return this.#operations[this.#notAfterBy[step] as number];
  }
}

/** Index of the first element that is at least (`strictly`: above) `value`, in a sorted array. */
export function firstAtLeast(
  sorted: ArrayLike<number>,
  value: number,
  strictly: boolean = false,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = sorted[middle] as number;
    if (one < value || (strictly && one === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
