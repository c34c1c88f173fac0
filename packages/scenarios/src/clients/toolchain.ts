import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** librdkafka is compiled for minutes. */
const TOOL_TIMEOUT_MS = 30 * 60_000;
const DRIVERS = fileURLToPath(new URL("../../clients/", import.meta.url));

/** What a tool prints with these arguments; undefined: it is not there, or fails. */
export function answerOf(tool: string, ...args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8" });
  return status === 0 ? `${stdout}${stderr}` : undefined;
}

/** The first of these tools that does not answer, as words. */
export function missingTool(
  ...calls: readonly (readonly [string, ...string[]])[]
): string | undefined {
  const absent = calls.find(([tool, ...args]) => answerOf(tool, ...args) === undefined);
  return absent === undefined ? undefined : `${absent.join(" ")} does not work`;
}

/** The first of these C headers that the compiler does not find, as words. */
export function missingHeader(...names: readonly string[]): string | undefined {
  const found = (name: string): boolean =>
    spawnSync("g++", ["-E", "-x", "c++", "-include", name, "/dev/null"]).status === 0;
  const absent = names.find((name) => !found(name));
  return absent === undefined ? undefined : `the header ${absent} is missing`;
}

export async function runTool(
  tool: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<void> {
  const child = spawn(tool, args, {
    cwd: options.cwd,
    // What package managers print is no result of ours.
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...options.env },
    timeout: TOOL_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code !== 0) throw new Error(`${tool} ${args.join(" ")} ended with ${code ?? signal}`);
}

export interface CachedOptions {
  /** Folder below packages/scenarios/clients. */
  readonly driver: string;
  /** Versions of the tools that the result depends on. */
  readonly tools: readonly string[];
  /** Files that decide what is built, below the folder; default: all. */
  readonly inputs?: readonly string[];
  /** Fills `folder`, which has the driver's files. */
  readonly build: (folder: string) => Promise<void>;
}

/**
 * A folder in the user's cache with a driver's files and what was built of them: complete, or not there at all.
 *
 * @returns its path.
 */
export async function cached(options: CachedOptions): Promise<string> {
  const source = join(DRIVERS, options.driver);
  const inputs = options.inputs ?? filesBelow(source);
  const hash = createHash("sha256");
  for (const word of [process.platform, process.arch, ...options.tools]) hash.update(`${word}\0`);
  for (const path of inputs) hash.update(`${path}\0`).update(readFileSync(join(source, path)));
  const cache = join(
    process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "karst",
    "clients",
  );
  const folder = join(cache, `${options.driver}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;

  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "draft-"));
  try {
    cpSync(source, draft, { recursive: true });
    await options.build(draft);
    // Another process may have been faster.
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
