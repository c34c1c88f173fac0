import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { zstdIsBuiltIn } from "./node-zstd.ts";
import type { Client, Launch } from "./client.ts";
import { CODECS } from "./events.ts";
import { answerOf, cached, missingHeader, missingTool, runTool } from "./toolchain.ts";

function nodeDriver(name: string, env: Readonly<Record<string, string>> = {}): Launch {
  const script = fileURLToPath(new URL(`drivers/${name}.js`, import.meta.url));
  return { command: process.execPath, args: [script], env };
}

const PLATFORMATIC_CODECS = CODECS.filter((codec) => codec !== "zstd" || zstdIsBuiltIn());

/** Every client that is run; the first of each language is run for every change. */
export const CLIENTS: readonly Client[] = [
  {
    name: "kafkajs",
    language: "JavaScript",
    codecs: ["none", "gzip"],
    assignors: ["roundrobin"],
    missing: () => undefined,
    prepare: () => Promise.resolve(nodeDriver("kafkajs")),
  },
  {
    name: "@platformatic/kafka",
    language: "JavaScript",
    codecs: PLATFORMATIC_CODECS,
    // Of snappy it knows the bare block alone, and not the frames of the Java client (test/codecs.ci.test.ts).
    opens: PLATFORMATIC_CODECS.filter((codec) => codec !== "snappy"),
    assignors: ["roundrobin"],
    lacks: { repeatedHeaders: true, endurance: true, resumption: true },
    missing: () => undefined,
    prepare: () => Promise.resolve(nodeDriver("platformatic")),
  },
  {
    name: "@confluentinc/kafka-javascript",
    language: "JavaScript",
    codecs: CODECS,
    assignors: ["range", "cooperative-sticky"],
    missing: () =>
      missingTool(["make", "--version"], ["python3", "--version"], ["g++", "--version"]) ??
      missingHeader("zstd.h", "openssl/ssl.h", "sasl/sasl.h", "curl/curl.h", "zlib.h"),
    async prepare() {
      const folder = await cached({
        driver: "confluent-javascript",
        tools: [`node ABI ${process.versions.modules}`],
        // Linked with a librdkafka of its own that it builds: the static build fetches the sources of more libraries.
        build: (cwd) =>
          runTool("npm", ["ci", "--no-audit", "--no-fund"], {
            cwd,
            env: { CKJS_LINKING: "dynamic" },
          }),
      });
      return nodeDriver("confluent", { KARST_CLIENT_FOLDER: folder });
    },
  },
  {
    name: "confluent-kafka",
    language: "Python",
    codecs: CODECS,
    assignors: ["range", "cooperative-sticky"],
    missing: () => missingTool(["python3", "-c", "import venv, ensurepip"]),
    async prepare() {
      const folder = await cached({
        driver: "python",
        tools: [answerOf("python3", "--version") ?? ""],
        inputs: ["requirements.txt"],
        async build(cwd) {
          await runTool("python3", ["-m", "venv", "venv"], { cwd });
          const python = join(cwd, "venv", "bin", "python");
          await runTool(python, ["-m", "pip", "install", "-q", "-r", "requirements.txt"], { cwd });
        },
      });
      const script = fileURLToPath(new URL("../../clients/python/driver.py", import.meta.url));
      return { command: join(folder, "venv", "bin", "python"), args: [script] };
    },
  },
  {
    name: "kafka-clients",
    language: "Java",
    codecs: CODECS,
    assignors: ["range", "cooperative-sticky"],
    missing: () => missingTool(["javac", "-version"], ["java", "-version"], ["mvn", "-v"]),
    async prepare() {
      const sources = "src/main/java/karst";
      const folder = await cached({
        driver: "java",
        tools: [answerOf("javac", "-version") ?? ""],
        async build(cwd) {
          await runTool(
            "mvn",
            ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
            { cwd },
          );
          const files = ["Driver", "Produce", "Consume"].map((name) =>
            join(sources, `${name}.java`),
          );
          await runTool(
            "javac",
            ["--release", "17", "-d", "classes", "-cp", join("jars", "*"), ...files],
            { cwd },
          );
        },
      });
      const classPath = [join(folder, "classes"), join(folder, "jars", "*")].join(delimiter);
      // Many short lives: what the first compiler makes is fast enough.
      const args = [
        "-Xmx128m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        classPath,
        "karst.Driver",
      ];
      return { command: "java", args };
    },
  },
  {
    name: "sarama",
    language: "Go",
    codecs: CODECS,
    assignors: ["range", "sticky"],
    missing: () => missingTool(["go", "version"]),
    async prepare() {
      const folder = await cached({
        driver: "go",
        tools: [answerOf("go", "version") ?? ""],
        build: (cwd) => runTool("go", ["build", "-o", "driver", "."], { cwd }),
      });
      return { command: join(folder, "driver"), args: [] };
    },
  },
  {
    name: "kcat",
    language: "C",
    codecs: CODECS,
    assignors: ["range"],
    lacks: { timestamps: true, bytes: true, uncommittedLeave: true, endurance: true },
    missing: () => missingTool(["kcat", "-V"]),
    prepare: () => Promise.resolve(nodeDriver("kcat")),
  },
];

/** The client of each language that is run for every change. */
export const FIRST_ROWS: readonly Client[] = CLIENTS.filter(
  (client, index) => CLIENTS.findIndex(({ language }) => language === client.language) === index,
);

/** @throws TypeError where there is no client of that name. */
export function clientNamed(name: string): Client {
  const client = CLIENTS.find((each) => each.name === name);
  if (client === undefined) throw new TypeError(`no client "${name}"`);
  return client;
}
