import type { PartitionLog } from "@karst/core";

/** Resolves when everything below `offset` is durable, or the partition has ended. Never rejects. */
export function reachesHighWatermark(log: PartitionLog, offset: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (log.closed || log.highWatermark >= offset) {
        unsubscribe();
        resolve();
      }
    };
    const unsubscribe = log.onAdvance(check);
    check();
  });
}
