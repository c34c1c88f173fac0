import { createRequire } from "node:module";
import { crc32c, crc32cImplementation } from "@karst/runtime";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { figuresOf } from "./measure/figures.ts";
import { micro } from "./measure/micro.ts";

const SIZES = [100, 1_024, 16_384, 1_048_576] as const;

const require = createRequire(import.meta.url);
const portable = require("crc-32/crc32c.js") as {
  readonly buf: (bytes: Uint8Array, seed: number) => number;
};

export const crcBenchmark: Benchmark = {
  name: "crc",
  summary: "CRC-32C as the packages call it, and its portable half",
  run: async ({ size, report }: BenchmarkContext) => {
    const rounds = sized(size, { smoke: 1, real: 7 });
    const timeMs = sized(size, { smoke: 10, real: 200 });
    const bytes = new Uint8Array(Math.max(...SIZES)).map((_, i) => (i * 131) & 0xff);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    report.title(
      `CRC-32C: native half ${crc32cImplementation}, ${rounds} rounds of ${timeMs} ms, MiB/s`,
    );
    const rows: (readonly [string, ...ReturnType<typeof figuresOf>[]])[] = [];
    let checksum = 0;
    for (const length of SIZES) {
      const [plain, inShared] = [bytes.subarray(0, length), shared.subarray(0, length)];
      const tasks = {
        crc32c: () => crc32c(plain),
        "shared memory": () => crc32c(inShared),
        portable: () => portable.buf(plain, 0),
      };
      const results = Object.keys(tasks).map(() => [] as number[]);
      for (let round = 0; round < rounds; round += 1) {
        const perSecond = await micro({ timeMs, tasks });
        Object.keys(tasks).forEach((name, i) => {
          results[i]?.push(((perSecond.get(name) ?? NaN) * length) / 2 ** 20);
        });
      }
      if (new Set([tasks.crc32c(), tasks["shared memory"](), tasks.portable() >>> 0]).size !== 1)
        throw new Error(`implementations disagree on ${length} bytes`);
      checksum = crc32c(plain, checksum);
      rows.push([`${length} B`, ...results.map(figuresOf)]);
    }
    report.table(["", "crc32c", "crc32c, shared memory", "portable"], rows);
    report.line(`checksum ${checksum.toString(16)}`);
  },
};
