import { spawn, type SpawnOptions } from "node:child_process";

/** What a process said to both its outputs. `code` null: it was killed, where it was too late also by us. */
export interface ChildOutput {
  readonly code: number | null;
  readonly output: string;
}

/** Runs Node to its end, and no longer than that. */
export function outputOfNode(
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env"> & { readonly timeout: number },
): Promise<ChildOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
      killSignal: "SIGKILL",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
