import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One life of a process with an engine over a bucket. */
export interface BucketLifeOptions {
  readonly root: string;
  /** `file:DIR`. */
  readonly wal: string;
  /** Beside this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Number of the first value, and how many are appended, 1 KiB each. */
  readonly from: number;
  readonly count: number;
  /** Whether it is killed, with SIGKILL, when the last value has been acknowledged, or closes. */
  readonly end: "kill" | "close";
}

export interface BucketLife {
  /** What it found when it opened, by offset. */
  readonly found: readonly number[];
  /** Numbers of the values that were acknowledged, with their offsets. */
  readonly acknowledged: ReadonlyMap<number, number>;
}

const LIFE_MS_MAX = 180_000;
const CHILD = fileURLToPath(new URL("bucket-life-child.js", import.meta.url));

/** Opens, reads all, appends and ends. @throws Error with what the process said, where it failed. */
export async function bucketLife(options: BucketLifeOptions): Promise<BucketLife> {
  const { root, wal, from, count, end } = options;
  const child = spawn(process.execPath, [CHILD, root, wal, String(from), String(count), end], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
    timeout: LIFE_MS_MAX,
    killSignal: "SIGKILL",
  });
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint = (complaint + String(chunk)).slice(-4_000);
  });
  const exit = once(child, "exit");
  const found: number[] = [];
  const acknowledged = new Map<number, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, number, offset] = line.split(" ");
    if (what === "found") found.push(Number(number));
    if (what === "acknowledged") acknowledged.set(Number(number), Number(offset));
    if (what === "done" && end === "kill") child.kill("SIGKILL");
  }
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  if (end === "close" && code !== 0)
    throw new Error(`the process ended with ${code ?? signal}: ${complaint}`);
  if (acknowledged.size < count) throw new Error(`${acknowledged.size} acknowledged: ${complaint}`);
  return { found, acknowledged };
}
