/** Microseconds of a clock that all processes of a machine share, and that never goes back. */
export function sharedUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
