const WINDOW_MS = 100;
/** Of one core, below which a process is at rest. */
const REST = 0.1;
const WAIT_MS_MAX = 20_000;

/** Resolves once this process has been at rest for `forMs`: what a round set off in the background is no burden to the next one. */
export function quiet(forMs: number): Promise<void> {
  return restOf(() => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }, forMs);
}

/** The same for a process of which `cpuSeconds` tells the processor time so far, NaN where that is not known. */
export function quietServer(cpuSeconds: () => number): Promise<void> {
  return restOf(cpuSeconds, 2 * WINDOW_MS);
}

async function restOf(cpuSeconds: () => number, forMs: number): Promise<void> {
  const beganMs = performance.now();
  let restedMs = 0;
  while (restedMs < forMs && performance.now() - beganMs < WAIT_MS_MAX) {
    const before = cpuSeconds();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const busy = (cpuSeconds() - before) * 1_000 >= WINDOW_MS * REST;
    restedMs = busy ? 0 : restedMs + WINDOW_MS;
  }
}
