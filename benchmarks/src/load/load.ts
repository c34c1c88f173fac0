import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** One round: `requests` in all, over connections with `depth` requests in flight each. */
export interface LoadRequest {
  readonly port: number;
  readonly connections: number;
  readonly depth: number;
  readonly requests: number;
  /** Of one batch. */
  readonly records: number;
  readonly valueBytes: number;
  /** Of the topic: connection i writes to partition i mod partitions. */
  readonly partitions: number;
}

export interface LoadFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that the broker had no room for, and got again. */
  readonly refused: number;
  /** Of the count of acknowledgements and the sum of their offsets. */
  readonly checksum: number;
}

export type LoadOutcome = LoadFigures | { readonly error: string };

/** The load client's process. */
export class Load {
  readonly #process: ChildProcess = fork(fileURLToPath(new URL("client.js", import.meta.url)));

  async run(request: LoadRequest): Promise<LoadFigures> {
    const outcome = await new Promise<LoadOutcome>((resolve, reject) => {
      const exited = (): void => reject(new Error("the load client has ended"));
      this.#process.once("exit", exited);
      this.#process.once("message", (message) => {
        this.#process.off("exit", exited);
        resolve(message as LoadOutcome);
      });
      this.#process.send(request);
    });
    if ("error" in outcome) throw new Error(`load client: ${outcome.error}`);
    return outcome;
  }

  close(): void {
    this.#process.kill();
  }
}
