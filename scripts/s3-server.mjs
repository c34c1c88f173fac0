// S3-compatible servers of one's own, on 127.0.0.1, for tests and for trying things out:
//
//   node scripts/s3-server.mjs [--server versitygw | minio] [--bucket karst]
//   node scripts/s3-server.mjs [--server …] --obtain      only sees to it that the binary is there
//
// prints which server runs, its endpoint and its credentials, and ends it at SIGINT or SIGTERM. The binary is built once with
// `go install` (about 80 s for versitygw, 3 minutes for MinIO) and kept in the user's cache folder, outside the checkout.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const REGION = "us-east-1";
const STARTING_MS_MAX = 30_000;
const POLL_MS = 50;
const STOPPING_MS_MAX = 10_000;

/** What differs between the servers. */
const SERVERS = {
  versitygw: {
    source: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    args: (folder, address) => ["--port", address, "--region", REGION, "posix", folder],
    environment: (user, password) => ({ ROOT_ACCESS_KEY: user, ROOT_SECRET_KEY: password }),
  },
  minio: {
    source: "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    args: (folder, address) => ["server", folder, "--address", address, "--quiet"],
    environment: (user, password) => ({
      MINIO_ROOT_USER: user,
      MINIO_ROOT_PASSWORD: password,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    }),
  },
};

export const S3_SERVER_NAMES = Object.keys(SERVERS);

export function cachedServer(name) {
  const binary = binaryOf(name);
  return existsSync(binary) ? binary : undefined;
}

export async function obtainServer(name) {
  const binary = binaryOf(name);
  if (existsSync(binary)) return binary;
  const { source } = SERVERS[name];
  process.stderr.write(`Building ${source} …\n`);
  const folder = `${cacheFolder()}/building-${name}-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    const result = spawnSync("go", ["install", source], {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, GOBIN: folder },
    });
    if (result.error !== undefined)
      throw new Error(`${name} is built with Go (https://go.dev): ${result.error.message}`);
    if (result.status !== 0) throw new Error(`go install ${source} ended with ${result.status}`);
    // Another process may have built the same meanwhile.
    renameSync(join(folder, name), binary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return binary;
}

export async function startServer(name) {
  const binary = await obtainServer(name);
  const { source, args, environment } = SERVERS[name];
  const folder = mkdtempSync(join(tmpdir(), `karst-${name}-`));
  const [user, password] = ["karst-test", "karst-test-secret"];
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary, args(folder, address), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment(user, password) },
  });
  let said = "";
  const listen = (chunk) => {
    said = (said + String(chunk)).slice(-4_000);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const ended = new Promise((resolve) => {
    child.on("exit", resolve);
    child.on("error", resolve);
  });
  // A test run that dies takes its server with it.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(kill, STOPPING_MS_MAX);
    await ended;
    clearTimeout(late);
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };
  const endpoint = `http://${address}`;
  const deadline = Date.now() + STARTING_MS_MAX;
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${name} does not answer at ${endpoint}: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    name,
    source,
    endpoint,
    region: REGION,
    accessKeyId: user,
    secretAccessKey: password,
    // Both keep a bucket as a folder.
    createBucket: async (bucket) => void mkdirSync(join(folder, bucket)),
    stop,
  };
}

/** Any answer will do: it is one to a request without a signature. */
async function answers(endpoint) {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function binaryOf(name) {
  if (!Object.hasOwn(SERVERS, name))
    throw new Error(`no server "${name}"; there are ${S3_SERVER_NAMES.join(" and ")}`);
  const version = SERVERS[name].source.split("@")[1];
  return join(cacheFolder(), `${name}-${version}`);
}

function cacheFolder() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(caches, "karst", "s3-server");
}

export function chosenServer(environment = process.env) {
  if (environment.KARST_TEST_S3_ENDPOINT) return "endpoint";
  const named = environment.KARST_TEST_S3_SERVER;
  if (!named) return S3_SERVER_NAMES.find((name) => cachedServer(name) !== undefined);
  if (!S3_SERVER_NAMES.includes(named)) throw new Error(`no server "${named}"`);
  return named;
}

async function main() {
  const { values } = parseArgs({
    options: {
      server: { type: "string", default: "versitygw" },
      bucket: { type: "string", default: "karst" },
      obtain: { type: "boolean", default: false },
    },
  });
  if (values.obtain) {
    process.stdout.write(`${await obtainServer(values.server)}\n`);
    return;
  }
  const server = await startServer(values.server);
  await server.createBucket(values.bucket);
  const root = `s3://${values.bucket}/try?endpoint=${server.endpoint}`;
  process.stdout.write(
    `${server.name} (${server.source}) at ${server.endpoint}; Ctrl-C ends it and removes its data\n\n` +
      `export KARST_TEST_S3_ENDPOINT=${server.endpoint} KARST_TEST_S3_BUCKET=${values.bucket}\n` +
      `export AWS_ACCESS_KEY_ID=${server.accessKeyId} AWS_SECRET_ACCESS_KEY=${server.secretAccessKey}\n` +
      `export AWS_REGION=${server.region}\n\nroot: ${root}\n`,
  );
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void server.stop());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
