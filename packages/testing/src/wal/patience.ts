import { isKarstError } from "@karst/runtime";
import type { ManualClock } from "@karst/runtime/testing";

/** Ends a wait that no event will end. */
const PATIENCE_MS = 2_000;
const STEP_MS = 20;

/**
 * Lets time pass until the promise settles. What it resolves to; undefined: it was rejected, or takes longer than anybody waits.
 *
 * @throws what it is rejected with where that is no KarstError.
 */
export async function patiently<T>(
  clock: ManualClock,
  promise: Promise<T>,
): Promise<T | undefined> {
  const waiting: { settled: boolean; value?: T; defect?: Error } = { settled: false };
  promise.then(
    (value) => {
      waiting.value = value;
      waiting.settled = true;
    },
    (error: unknown) => {
      if (!isKarstError(error)) waiting.defect = error as Error;
      waiting.settled = true;
    },
  );
  await clock.runDeferred();
  for (let waitedMs = 0; !waiting.settled && waitedMs < PATIENCE_MS; waitedMs += STEP_MS)
    await clock.advance(STEP_MS);
  if (waiting.defect !== undefined) throw waiting.defect;
  return waiting.value;
}
