import {
  decodeBatch,
  encodeBatch,
  openBatch,
  type RecordInput,
  validateBatch,
} from "@karst/records";
import { crc32c } from "@karst/runtime";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { figuresOf } from "./measure/figures.ts";
import { micro } from "./measure/micro.ts";

const SHAPES = [
  { records: 1, valueBytes: 1_024 },
  { records: 64, valueBytes: 1_024 },
  { records: 1_000, valueBytes: 100 },
] as const;

const BATCH_BYTES_MAX = 2 * 1024 * 1024;

export const batchBenchmark: Benchmark = {
  name: "batch",
  summary: "encoding, checking, walking and decoding record batches",
  run: async (context) => {
    for (const shape of SHAPES) await measure(context, shape);
  },
};

async function measure(
  { size, report }: BenchmarkContext,
  { records, valueBytes }: { readonly records: number; readonly valueBytes: number },
): Promise<void> {
  const rounds = sized(size, { smoke: 1, real: 7 });
  const timeMs = sized(size, { smoke: 10, real: 250 });
  const inputs: readonly RecordInput[] = Array.from({ length: records }, (_, i) => ({
    timestampMs: 1_700_000_000_000 + i,
    key: new Uint8Array(8).fill(i),
    value: new Uint8Array(valueBytes).fill(i),
  }));
  const batch = encodeBatch(inputs);
  const copy = new Uint8Array(batch.length);
  const tasks = {
    "bare: copy and CRC": () => {
      copy.set(batch);
      return crc32c(copy);
    },
    encodeBatch: () => encodeBatch(inputs),
    validateBatch: () => validateBatch(batch, { bytesMax: BATCH_BYTES_MAX }),
    "openBatch, next": () => {
      const opened = openBatch(batch);
      let sum = 0;
      while (opened.next()) sum += opened.valueLength;
      return sum;
    },
    decodeBatch: () => decodeBatch(batch),
  };
  const perSecond = new Map<string, number[]>(Object.keys(tasks).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const results = await micro({ timeMs, tasks });
    for (const [name, value] of results) perSecond.get(name)?.push(value);
  }
  report.title(`batch: ${records} × ${valueBytes} B, ${rounds} rounds of ${timeMs} ms`);
  report.table(
    ["", "batches/s", "ns per record", "MiB/s"],
    [...perSecond].map(([name, values]) => [
      name,
      figuresOf(values),
      figuresOf(values.map((value) => 1e9 / value / records)),
      figuresOf(values.map((value) => (value * batch.length) / 2 ** 20)),
    ]),
  );
  const decoded = decodeBatch(batch);
  const same = decoded.every(
    (record, i) => crc32c(record.value ?? copy) === crc32c(inputs[i]?.value ?? copy),
  );
  if (!same || decoded.length !== records)
    throw new Error("a batch does not decode to what was encoded");
  report.line(`checksum ${crc32c(batch).toString(16)}`);
}
