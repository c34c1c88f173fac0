import type { Process } from "../log/process.ts";
import type { Run } from "../log/run.ts";
import type { PortProbe } from "./port-probe.ts";

/** Where a job is done: a run from its beginning on, and who looks at its calls. */
export interface Stage {
  readonly run: Run;
  readonly probe: PortProbe;
  /** Makes the next crashes others than they would be. Only when nothing on the disk waits for a sync, and no process lives. */
  vary(): void;
}

/** One doing of a job. */
export interface Performance {
  /** The thing itself. Resolves when it is done, or its process has ended. */
  perform(): Promise<void>;
  /** Looks at what came of it, as the process, opened after it, has it. */
  check(process: Process): Promise<void>;
}

/** Something that an engine does, of which every call to a port is a point to crash at. */
export interface CrashJob {
  readonly name: string;
  /** What the label of its first call begins with; undefined: the first of all. */
  readonly from?: string;
  /** Brings a new run to where the job can be done: the same, each time, for the same world. */
  prepare(stage: Stage): Promise<Performance>;
}

export const NOTHING_MORE: () => Promise<void> = () => Promise.resolve();
