import type { SeenBatch } from "../checkers/history.ts";
import {
  type AppendCall,
  LogRecorder,
  type ReadCall,
  type TrimCall,
} from "../checkers/log-recorder.ts";
import { checkLog } from "../checkers/log-linearizability.ts";
import type { Invariants } from "../world/invariants.ts";

/** What the clients of one log did and were told, to be judged as a whole when the run is over. */
export class LogHistory {
  readonly #recorder = new LogRecorder();
  /** Of every append that was begun: a retry of it is the same one. */
  readonly #contents = new Map<string, number>();
  /** Not acknowledged so far. */
  readonly #open = new Map<string, AppendCall>();

  /** An append is about to be made, for the first time or again. */
  begin(process: number, id: string, count: number, ifOffset?: number): void {
    if (this.#contents.has(id)) return;
    const content = this.#contents.size + 1;
    this.#contents.set(id, content);
    this.#open.set(id, this.#recorder.append({ process, content, count, ifOffset }));
  }

  acknowledged(
    id: string,
    place: { readonly baseOffset: number; readonly endOffset: number },
  ): void {
    this.#open.get(id)?.ok(place);
    this.#open.delete(id);
  }

  /** The log ended elsewhere, which is durable by now. */
  conflict(id: string, tail: number): void {
    this.#open.get(id)?.conflict(tail);
    this.#open.delete(id);
  }

  read(process: number, from: number): ReadCall {
    return this.#recorder.read({ process, from });
  }

  /** What a process says of the log at this moment. */
  saw(
    process: number,
    log: { readonly highWatermark: number; readonly logStartOffset: number },
  ): void {
    const { highWatermark: tail, logStartOffset: start } = log;
    this.#recorder.tail({ process }).finish({ tail, start });
  }

  trim(process: number, before: number): TrimCall {
    return this.#recorder.trim({ process, before });
  }

  seen(batch: {
    readonly id: string;
    readonly baseOffset: number;
    readonly endOffset: number;
  }): SeenBatch {
    const { id, baseOffset, endOffset } = batch;
    return { baseOffset, endOffset, content: this.#contents.get(id) ?? 0 };
  }

  /** Checks everything. */
  check(name: string, invariants: Invariants): void {
    const verdict = checkLog(this.#recorder.operations());
    invariants.check("L1", verdict.tag === "linearizable", () => {
      if (verdict.tag === "linearizable") return "";
      const { kind, detail, operations } = verdict.anomaly;
      return `${name}: ${kind}, ${detail}: ${JSON.stringify(operations)}`;
    });
  }
}
