import { Bench } from "tinybench";

export interface MicroOptions {
  readonly timeMs: number;
  /** By name. Each must return something that depends on its work. */
  readonly tasks: Readonly<Record<string, () => unknown>>;
}

/** Synchronous functions under tinybench. @returns operations per second, the median over all samples, by name. */
export async function micro({ timeMs, tasks }: MicroOptions): Promise<ReadonlyMap<string, number>> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, throws: true });
  for (const [name, task] of Object.entries(tasks)) bench.add(name, task, { async: false });
  await bench.run();
  return new Map(
    bench.tasks.map((task) => {
      const { result } = task;
      if (!("throughput" in result)) throw new Error(`${task.name} did not complete`);
      return [task.name, result.throughput.p50];
    }),
  );
}
