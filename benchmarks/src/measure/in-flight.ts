import { isKarstError } from "@karst/runtime";
import { quantile } from "./figures.ts";

export interface RoundOutcome {
  readonly perSecond: number;
  /** Of one of the appenders. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the whole process, all threads, per append. */
  readonly cpuMicroseconds: number;
  /** Appends that were refused for want of room, and offered again. */
  readonly refused: number;
}

export interface RoundOptions {
  readonly inFlight: number;
  readonly appends: number;
  /** Resolves when append number `index` of the round is durable. */
  readonly append: (index: number) => Promise<unknown>;
}

const REFUSED_PAUSE_MS = 1;

/** A closed loop: `inFlight` appenders, each of which waits for its append before it makes the next, until `appends` are made. */
export async function appendRound({
  inFlight,
  appends,
  append,
}: RoundOptions): Promise<RoundOutcome> {
  const latencies: number[] = [];
  let next = 0;
  let refused = 0;

  async function untilTaken(index: number): Promise<void> {
    for (;;) {
      try {
        await append(index);
        return;
      } catch (error) {
        if (!isKarstError(error, "unavailable")) throw error;
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
      }
    }
  }

  /** The usual case awaits the append itself: a further promise of ours would be measured too. */
  async function appender(timed: boolean): Promise<void> {
    while (next < appends) {
      const index = next;
      next += 1;
      const beganMs = timed ? performance.now() : 0;
      try {
        await append(index);
      } catch (error) {
        if (!isKarstError(error, "unavailable")) throw error;
        refused += 1;
        await untilTaken(index);
      }
      if (timed) latencies.push(performance.now() - beganMs);
    }
  }

  const cpuBefore = process.cpuUsage();
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, i) => appender(i === 0)));
  const seconds = (performance.now() - beganMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  return {
    perSecond: appends / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuMicroseconds: (cpu.user + cpu.system) / appends,
    refused,
  };
}
