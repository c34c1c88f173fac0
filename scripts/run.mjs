// The commands of the repository, for a machine with nothing but Node, npm and git:
//
//   node scripts/run.mjs build            installs and builds
//   node scripts/run.mjs start …          installs, builds, then runs the `karst serve` command in this process
//   node scripts/run.mjs test …           installs, builds, then runs vitest
//   node scripts/run.mjs bench …          installs, builds, then runs the benchmarks
//   node scripts/run.mjs verify <part> …  installs, builds, then runs a long verification
//   node scripts/run.mjs prove --report   installs, builds, then prints what has been verified so far
//
// The scripts of package.json `exec` it: npm signals its shell, and a shell that waits for us would die alone.
//
// It has no dependencies and says nothing where there is nothing to do.
import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const commands = { build, start, test, bench, verify, prove };

/** Ends the process with a sentence. */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** `>=20.19` against the running version. */
function checkNode() {
  const wanted = manifest.engines.node.replace(">=", "").split(".").map(Number);
  const running = process.versions.node.split(".").map(Number);
  const older = running[0] < wanted[0] || (running[0] === wanted[0] && running[1] < wanted[1]);
  if (older) {
    fail(
      `Karst needs Node ${wanted.join(".")} or newer; this is Node ${process.versions.node}. ` +
        "Install a newer Node (https://nodejs.org) and run the command again.",
    );
  }
}

/** Installs with the pinned pnpm, unless what is installed came from this very lockfile. */
function install() {
  const lockHash = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".karst-install");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash) return;

  process.stderr.write("Installing the dependencies of pnpm-lock.yaml …\n");
  const windows = process.platform === "win32";
  const args = ["--yes", manifest.packageManager, "install", "--frozen-lockfile"];
  // What pnpm prints goes to standard error: standard output is the command's.
  const result = spawnSync(windows ? "npx.cmd" : "npx", args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: windows,
    // Nothing to ask, also where an older node_modules has to go.
    env: { ...process.env, CI: "true" },
  });
  if (result.error !== undefined) fail(`npx could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    fail(
      `Installation failed: npx ${args.join(" ")} ended with ${result.status ?? result.signal}.`,
    );
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lockHash);
}

/** The compiler, silent unless it has something to say. */
function compile(...args) {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const result = spawnSync(process.execPath, [tsc, ...args], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a script of Node in a process of its own; its exit code, or its signal, becomes ours. */
function hand(script, args, env = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  // From a terminal the child gets the signal itself; from a supervisor only we do.
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", forward);
  process.on("SIGTERM", forward);
  child.on("exit", (code, signal) => {
    process.off("SIGINT", forward);
    process.off("SIGTERM", forward);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

function build() {
  compile("-b");
}

async function start(args) {
  compile("-b", "packages/karst");
  // Imported, not spawned: signals, terminal and exit code are the broker's own.
  const main = join(root, "packages", "karst", "dist", "main.js");
  process.argv = [process.argv[0], main, "serve", ...args];
  await import(pathToFileURL(main).href);
}

function test(args) {
  // With the types of the tests (tsconfig.test.json).
  compile("-b");
  hand(join(root, "node_modules", "vitest", "vitest.mjs"), ["run", ...args]);
}

function bench(args) {
  compile("-b", "benchmarks");
  hand(join(root, "benchmarks", "dist", "main.js"), args);
}

function verify([part, ...args]) {
  compile("-b", "packages/scenarios");
  const folder = join(root, "packages", "scenarios", "dist", "verify");
  const parts = existsSync(folder)
    ? readdirSync(folder).flatMap((name) => /^(.+)\.js$/.exec(name)?.[1] ?? [])
    : [];
  if (!parts.includes(part)) {
    const known = parts.length === 0 ? "there are none yet" : `the parts are: ${parts.join(", ")}`;
    fail(part === undefined ? `Name a part to verify; ${known}.` : `No part "${part}"; ${known}.`);
  }
  hand(join(folder, `${part}.js`), args);
}

function prove(args) {
  compile("-b", "packages/scenarios");
  hand(join(root, "packages", "scenarios", "dist", "prove.js"), args);
}

const [name, ...args] = process.argv.slice(2);
checkNode();
if (name === undefined || !Object.hasOwn(commands, name)) {
  fail(`Usage: node scripts/run.mjs ${Object.keys(commands).join(" | ")}`);
}
install();
await commands[name](args);
