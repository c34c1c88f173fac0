// The two commands of the README, in a fresh clone, on a machine that has node, npm, npx, git and sh and nothing else.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, test } from "vitest";
import { root } from "./tidy/tree.ts";

const TOOLS = ["node", "npm", "npx", "git", "sh"];

let folder = "";
let clone = "";
let env: NodeJS.ProcessEnv = {};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "karst-clone-"));
  clone = join(folder, "karst");
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const tool of TOOLS) symlinkSync(which(tool), join(bin, tool));
  // What npm and vitest tell their children must not reach the clone: it is to be as if started by hand.
  env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|VITEST|KARST_|NODE_ENV$|INIT_CWD$|TEST$|MODE$)/i.test(name),
    ),
  );
  env["PATH"] = bin;
  execFileSync("git", ["clone", "--quiet", root, clone], { stdio: "inherit" });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("npm test passes in a clean clone", () => {
  const result = spawnSync("npm", ["test"], {
    cwd: clone,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`);
});

test("npm start serves in a clean clone, and stops with code 0 on SIGTERM", async () => {
  const data = join(folder, "data");
  const npm = spawn("npm", ["start", "--", "--port", "0", "--data", data], {
    cwd: clone,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: npm.stdout }).on("line", (line) => {
      lines.push(line);
      const found = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    npm.once("exit", (code) =>
      reject(new Error(`npm start ended with ${code}:\n${lines.join("\n")}`)),
    );
  });
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();

  const exit = once(npm, "exit");
  npm.kill("SIGTERM");
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

/** The file behind a command of this machine. */
function which(tool: string): string {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(directory, tool);
    if (spawnSync(file, ["--version"], { stdio: "ignore" }).error === undefined) return file;
  }
  throw new Error(`${tool} is not on the PATH`);
}
