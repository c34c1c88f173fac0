import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
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
          done(await ask(child, next.value));
        }
      }),
    );
  }

  close(): void {
    for (const child of this.#children) child.disconnect();
  }
}

function ask(child: ChildProcess, task: SeedsTask): Promise<SeedsReport> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(
        new Error(`a worker ended with ${code} at seeds from ${task.first} of ${task.family}`),
      );
    child.once("exit", ended);
    child.once("message", (report) => {
      child.off("exit", ended);
      resolve(report as SeedsReport);
    });
    child.send(task);
  });
}
