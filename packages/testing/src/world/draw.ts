import { type Random, randomInteger } from "@karst/runtime";

/** One of the values; each as likely as it is often in the list. */
export function pick<T>(random: Random, values: readonly T[]): T {
  return values[randomInteger(random, 0, values.length - 1)] as T;
}

/** One of the values, as likely as its weight says. */
export function pickWeighted<T extends { readonly weight: number }>(
  random: Random,
  values: readonly T[],
): T {
  const sum = values.reduce((total, value) => total + value.weight, 0);
  let left = randomInteger(random, 0, sum - 1);
  for (const value of values) {
    left -= value.weight;
    if (left < 0) return value;
  }
  throw new RangeError("nothing to choose from");
}

/** Whether it comes to pass. */
export function chance(random: Random, percent: number): boolean {
  return randomInteger(random, 0, 99) < percent;
}
