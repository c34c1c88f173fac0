import { spawn } from "node:child_process";
import { once } from "node:events";
import { COMMAND, freePort } from "./server.ts";

/** How a `karst serve` ended that was to end by itself. */
export interface Refusal {
  readonly code: number | null;
  /** What it said to standard error. */
  readonly said: string;
}

const TIMEOUT_MS = 30_000;

/** Starts a broker that is to refuse. @throws Error where it listens, or says nothing in time. */
export async function refusedServe(args: readonly string[], port?: number): Promise<Refusal> {
  const child = spawn(
    process.execPath,
    [COMMAND, "serve", "--port", String(port ?? (await freePort())), "--log", "error", ...args],
    { stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
  );
  let said = "";
  let listening = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdout.on("data", () => {
    listening = true;
    child.kill("SIGKILL");
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (listening) throw new Error(`the broker was to refuse ${args.join(" ")}, and listens`);
  return { code, said: said.trim() };
}
