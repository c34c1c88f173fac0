/** A decoding that can pause: it yields the bytes that it has just made, at least once per block, and returns the whole. */
export type Steps = Generator<number, Uint8Array, void>;

/** Runs to the end at once. */
export function runNow(steps: Steps): Uint8Array {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
