import { writeSync } from "node:fs";
import type { Report } from "./protocol.ts";

const STDOUT = 1;
const PAUSE_MS = 1;
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/** Told when this returns, also if the process dies in the next instant. */
export function report(...reports: readonly Report[]): void {
  const lines = reports.map((each) => `${JSON.stringify(each)}\n`).join("");
  const bytes = new TextEncoder().encode(lines);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(STDOUT, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      // The parent is slower than we are.
      Atomics.wait(SLEEPER, 0, 0, PAUSE_MS);
    }
  }
}
