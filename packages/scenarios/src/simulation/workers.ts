import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { askWorker } from "../ask-worker.ts";
import type { SeedsReport } from "./run-seeds.ts";
import type { SeedsTask } from "./worker.ts";

/** Processes that run seeds, one per core. */
export class SeedWorkers {
  readonly #children: ChildProcess[];

  constructor(count: number = availableParallelism()) {
    const entry = fileURLToPath(new URL("worker.js", import.meta.url));
    this.#children = Array.from({ length: count }, () => fork(entry, [], { execArgv: [] }));
  }

  /** Runs tasks until there are no more; `done` gets each one's report. A worker that dies rejects. */
  async run(tasks: Iterator<SeedsTask>, done: (report: SeedsReport) => void): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
          const { first, family } = next.value;
          const report = await askWorker(child, next.value, `seeds from ${first} of ${family}`);
          done(report as SeedsReport);
        }
      }),
    );
  }

  close(): void {
    for (const child of this.#children) if (child.connected) child.disconnect();
  }
}
