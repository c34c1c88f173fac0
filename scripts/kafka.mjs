// A real Apache Kafka of one node (KRaft) on the loopback, to compare answers with:
//
//   node scripts/kafka.mjs [--port N] [--data DIR] [--heap-mb N] [--config NAME=VALUE …]
//
// It is fetched with Maven, from wherever Maven is told to look, into the user's cache directory; it needs Java 17 or newer. The command
// prints its address and runs until it is interrupted. `startKafka` does the same for scripts.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const KAFKA_VERSION = "4.2.0";
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

/** What has to be installed and is not, as a sentence; undefined: nothing. */
export function missingForKafka() {
  if (spawnSync("java", ["-version"]).status !== 0) return "Java 17 or newer (java) is missing";
  if (!existsSync(jarsOf()) && spawnSync("mvn", ["-v"]).status !== 0)
    return "Maven (mvn) is missing";
  return undefined;
}

function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(base, "karst");
}

function jarsOf() {
  return join(cacheFolder(), `kafka-${KAFKA_VERSION}`);
}

/** Fetches Kafka unless the cache has it. @returns the folder of its jars. */
export function fetchKafka() {
  const jars = jarsOf();
  if (existsSync(jars)) return jars;
  mkdirSync(cacheFolder(), { recursive: true });
  // Complete or not there at all: renamed when Maven is done.
  const draft = mkdtempSync(join(cacheFolder(), "fetching-"));
  try {
    writeFileSync(join(draft, "pom.xml"), project());
    const result = spawnSync(
      "mvn",
      ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${join(draft, "jars")}`],
      { cwd: draft, stdio: ["ignore", 2, 2] },
    );
    if (result.error !== undefined) throw result.error;
    if (result.status !== 0) throw new Error(`mvn ended with ${result.status ?? result.signal}`);
    // Another process may have been faster.
    if (!existsSync(jars)) renameSync(join(draft, "jars"), jars);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return jars;
}

function project() {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>karst</groupId>
  <artifactId>kafka-for-comparison</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
}

/**
 * Starts Kafka and resolves when it takes connections. Without `data`, its files are temporary and go with it.
 *
 * @param options `{ port, data, heapMb, config }`: port of the listener (a free one), folder of its files, heap in MiB (768), and
 * settings of server.properties beyond ours.
 * @returns `{ host, port, pid, version, stop() }`; `stop` ends it in order, and by force if it takes too long.
 */
export async function startKafka(options = {}) {
  const jars = fetchKafka();
  const port = options.port ?? (await freePort());
  const temporary = options.data === undefined;
  const data = temporary ? mkdtempSync(join(tmpdir(), "karst-kafka-")) : options.data;
  const removeFiles = () => {
    if (temporary) rmSync(data, { recursive: true, force: true });
  };
  try {
    mkdirSync(data, { recursive: true });
    const properties = join(data, "server.properties");
    const controllerPort = await freePort();
    writeFileSync(properties, propertiesText(data, port, controllerPort, options.config ?? {}));
    const classPath = readdirSync(jars)
      .map((name) => join(jars, name))
      .join(delimiter);
    const java = (...args) => ["-n", "10", "java", "-cp", classPath, ...args];
    if (!existsSync(join(data, "log", "meta.properties"))) {
      const storage = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties];
      const format = spawnSync("nice", java("-Xmx128m", "-XX:TieredStopAtLevel=1", ...storage));
      if (format.status !== 0)
        throw new Error(`formatting failed: ${String(format.stdout)}${String(format.stderr)}`);
    }
    const log = join(data, "kafka.out");
    const file = openSync(log, "w");
    const heap = `-Xmx${options.heapMb ?? 768}m`;
    const child = spawn("nice", java(heap, "-XX:+UseG1GC", "kafka.Kafka", properties), {
      stdio: ["ignore", file, file],
    });
    const running = new RunningKafka(child, port, removeFiles);
    await running.listening(log);
    return running;
  } catch (error) {
    removeFiles();
    throw error;
  }
}

/** Of a data folder that nobody shares; any 16 bytes in base64 will do. */
const CLUSTER_ID = "a2Fyc3QtY29tcGFyaXNvbg";

/** One copy of everything, no waiting for members, and little memory; the rest as Kafka comes. */
function propertiesText(data, port, controllerPort, config) {
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(data, "log"),
    "num.network.threads": 2,
    "num.io.threads": 4,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
    ...config,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n")}\n`;
}

/** Owns the process. */
class RunningKafka {
  host = "127.0.0.1";
  version = KAFKA_VERSION;
  #child;
  #removeFiles;

  constructor(child, port, removeFiles) {
    this.#child = child;
    this.port = port;
    this.#removeFiles = removeFiles;
  }

  get pid() {
    return this.#child.pid;
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the port is open. */
  async listening(log) {
    let failure;
    this.#child.once("error", (error) => {
      failure = error;
    });
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      if (await accepts(this.port)) return;
      if (failure !== undefined) throw new Error(`java did not start: ${String(failure)}`);
      if (!this.running || performance.now() > deadlineMs) {
        const said = readFileSync(log, "utf8").slice(-4_000);
        await this.stop();
        throw new Error(`Kafka did not start:\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async stop() {
    if (this.running && this.pid !== undefined) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const late = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(late);
    }
    this.#removeFiles();
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "9092" },
      data: { type: "string" },
      "heap-mb": { type: "string", default: "768" },
      config: { type: "string", multiple: true, default: [] },
    },
  });
  const missing = missingForKafka();
  if (missing !== undefined) throw new Error(missing);
  const config = Object.fromEntries(
    values.config.map((each) => [
      each.slice(0, each.indexOf("=")),
      each.slice(each.indexOf("=") + 1),
    ]),
  );
  const heapMb = Number(values["heap-mb"]);
  const kafka = await startKafka({
    port: Number(values.port),
    ...(values.data === undefined ? {} : { data: values.data }),
    heapMb,
    config,
  });
  process.stdout.write(
    `Apache Kafka ${kafka.version} listens on ${kafka.host}:${kafka.port} (process ${kafka.pid})\n`,
  );
  await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  });
  await kafka.stop();
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  await main();
