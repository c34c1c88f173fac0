import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import type { ReadRow } from "./verify.ts";

const TIMEOUT_MS = 180_000;

export function hasKcat(): boolean {
  return spawnSync("kcat", ["-V"]).status === 0;
}

/** Every record of a topic as kcat reads it, from the start to the end. @throws Error with what kcat said. */
export async function readByKcat(bootstrap: string, topic: string): Promise<ReadRow[]> {
  const kcat = spawn(
    "kcat",
    [
      "-C",
      "-b",
      bootstrap,
      "-t",
      topic,
      "-o",
      "beginning",
      "-e",
      "-q",
      "-f",
      "%p\\t%o\\t%k\\t%s\\n",
      "-X",
      "check.crcs=true",
    ],
    { stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
  );
  const exited = new Promise<number | string | null>((resolve, reject) => {
    kcat.on("error", reject);
    kcat.on("close", (code, signal) => resolve(code ?? signal));
  });
  exited.catch(() => undefined);
  let said = "";
  kcat.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const rows: ReadRow[] = [];
  for await (const line of createInterface({ input: kcat.stdout })) {
    const [partition, offset, id, ...value] = line.split("\t");
    rows.push({
      topic,
      partition: Number(partition),
      offset: Number(offset),
      id: Number(id),
      value: value.join("\t"),
    });
  }
  const code = await exited;
  if (code !== 0) throw new Error(`kcat ended with ${code} reading ${topic}: ${said.trim()}`);
  return rows;
}
