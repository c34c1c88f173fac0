import type { ChildProcess, Serializable } from "node:child_process";
import { within } from "./within.ts";

/** A seed that has not come to its end then never will. */
const TIMEOUT_MS = 30 * 60_000;

/**
 * Sends a process its task. @returns its next message.
 *
 * @param what it does, as in "seed 7".
 * @throws Error where it ends first, or is not done in time: then it is killed.
 */
export async function askWorker(
  child: ChildProcess,
  task: Serializable,
  what: string,
): Promise<unknown> {
  const answer = new Promise<unknown>((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`a worker ended with ${code} at ${what}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message);
    });
    child.send(task);
  });
  try {
    return await within(TIMEOUT_MS, `${what} has ended`, answer);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
