import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;
const PATIENCE_MS = 120_000;

/**
 * Waits until it holds.
 *
 * @throws Error naming what was waited for after two minutes; whatever `holds` throws.
 */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const sinceMs = performance.now();
  while (!holds()) {
    if (performance.now() - sinceMs > PATIENCE_MS) throw new Error(`waited in vain until ${what}`);
    await delay(POLL_MS);
  }
}
