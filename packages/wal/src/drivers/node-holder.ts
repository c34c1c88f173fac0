import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { HolderProbe } from "../segment-device.ts";

/** What a line says: a process (its id may be given again: hence the start time and the boot), and a holder in it. */
interface Holder {
  readonly pid: number;
  /** Ticks after boot; empty where the system does not tell. */
  readonly started: string;
  readonly boot: string;
  readonly id: string;
}

const LINE = /^pid=(\d+) started=(\d*) boot=([0-9a-f-]*) holder=([0-9a-f-]+)$/;

/** Holders of this thread that live, over all copies of this package. */
const key = Symbol.for("karst.wal.holders");
const global = globalThis as unknown as Record<symbol, Set<string> | undefined>;
const living: Set<string> = (global[key] ??= new Set<string>());

export function nodeHolder(): HolderProbe {
  const id = randomUUID();
  const self = `pid=${process.pid} started=${startOf(process.pid) ?? ""} boot=${bootId()} holder=${id}`;
  return {
    self,
    isAlive: (line) => isAlive(line),
    begin: () => void living.add(id),
    end: () => void living.delete(id),
  };
}

function isAlive(line: string): boolean {
  const holder = parse(line);
  if (holder === undefined) return false;
  const boot = bootId();
  if (holder.boot !== "" && boot !== "" && holder.boot !== boot) return false;
  const started = startOf(holder.pid);
  if (holder.started !== "" && started !== undefined && holder.started !== started) return false;
  if (holder.pid === process.pid) return living.has(holder.id);
  return started !== "" && exists(holder.pid);
}

function parse(line: string): Holder | undefined {
  const parts = LINE.exec(line.trim());
  if (parts === null) return undefined;
  const [, pid = "", started = "", boot = "", id = ""] = parts;
  return { pid: Number(pid), started, boot, id };
}

/** When a process started; empty: it has ended and nobody has waited for it yet; undefined: the system does not tell. */
function startOf(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the command in brackets, and may contain anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? "" : fields[19];
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
