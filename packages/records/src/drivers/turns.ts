import { setImmediate } from "node:timers/promises";
import type { Steps } from "../codecs/steps.ts";
import { DECODE_TURN_BYTES } from "../limits.ts";

/** Runs to the end, letting others have their turn after every few blocks. */
export async function runInTurns(steps: Steps): Promise<Uint8Array> {
  let bytes = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    bytes += step.value;
    if (bytes < DECODE_TURN_BYTES) continue;
    bytes = 0;
    await setImmediate();
  }
}
