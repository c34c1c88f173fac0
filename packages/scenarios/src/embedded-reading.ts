import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What came of opening a root and reading a topic of it to its end. */
export type EmbeddedReading =
  | { readonly tag: "read"; readonly records: number }
  | {
      readonly tag: "failed";
      /** How far it came before. */
      readonly records: number;
      readonly kind: string;
      readonly code: string;
      readonly message: string;
    };

const TIMEOUT_MS = 120_000;
const CHILD = fileURLToPath(new URL("embedded-reading-child.js", import.meta.url));

/** Reads by the embedded API, in a process of its own. */
export async function readEmbedded(root: string, topic: string): Promise<EmbeddedReading> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, root, topic], {
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return JSON.parse(stdout) as EmbeddedReading;
}
