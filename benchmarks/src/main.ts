import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { appendBenchmark } from "./append.bench.ts";
import { batchBenchmark } from "./batch.bench.ts";
import { type Benchmark, sized } from "./benchmark.ts";
import { codecsBenchmark } from "./codecs.bench.ts";
import { crcBenchmark } from "./crc.bench.ts";
import { deviceBenchmark } from "./device.bench.ts";
import { touchMemory } from "./measure/touch-memory.ts";
import { objectStoreBenchmark } from "./object-store.bench.ts";
import { produceBenchmark } from "./produce.bench.ts";
import { recoveryBenchmark } from "./recovery.bench.ts";
import { describeMachine } from "./report/machine.ts";
import { Report } from "./report/report.ts";

const BENCHMARKS: readonly Benchmark[] = [
  appendBenchmark,
  produceBenchmark,
  recoveryBenchmark,
  batchBenchmark,
  codecsBenchmark,
  crcBenchmark,
  deviceBenchmark,
  objectStoreBenchmark,
];

const HELP = `npm run bench -- [--smoke] [--folder DIR] [NAME …]

  --smoke       sizes that only show that everything runs
  --folder DIR  the disk to measure (default: the system's temporary folder)

${BENCHMARKS.map(({ name, summary }) => `  ${name.padEnd(12)}  ${summary}`).join("\n")}`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      folder: { type: "string", default: tmpdir() },
      help: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const unknown = positionals.find((name) => !BENCHMARKS.some((known) => known.name === name));
  if (unknown !== undefined) throw new Error(`no benchmark "${unknown}"\n\n${HELP}`);
  const chosen = BENCHMARKS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  const folder = mkdtempSync(join(resolve(values.folder), "karst-bench-"));
  const size = values.smoke ? "smoke" : "real";
  const report = new Report((line) => console.log(line));
  try {
    for (const line of describeMachine(folder)) report.line(line);
    for (const benchmark of chosen) {
      const own = join(folder, benchmark.name);
      mkdirSync(own);
      touchMemory(own, sized(size, { smoke: 16, real: 6_144 }));
      await benchmark.run({ size, folder: own, report });
      rmSync(own, { recursive: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
