import { type Codec, codecTwins, encodeRecords, type RecordInput } from "@karst/records";
import { crc32c, utf8Encode } from "@karst/runtime";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { figuresOf } from "./measure/figures.ts";
import { micro } from "./measure/micro.ts";

const CODEC_IDS = [1, 2, 3, 4] as const;
const BATCH_HEADER_BYTES = 61;
const BYTES_MAX = 64 * 1024 * 1024;

/** Records per batch: about 1, 64 and 900 KiB of them. */
const SIZES = [10, 600, 9_000] as const;

export const codecsBenchmark: Benchmark = {
  name: "codecs",
  summary: "compressing and opening the records of a batch, each codec and its twin",
  run: async (context) => {
    for (const count of SIZES) await measure(context, count);
  },
};

async function measure({ size, report }: BenchmarkContext, count: number): Promise<void> {
  const rounds = sized(size, { smoke: 1, real: 5 });
  const timeMs = sized(size, { smoke: 10, real: 200 });
  const records = recordsOf(count);
  const sum = crc32c(records);
  const rows: (readonly [string, string, ...ReturnType<typeof figuresOf>[]])[] = [];
  for (const [name, codec] of implementations()) {
    const compressed = codec.compress(records);
    const tasks = {
      compress: () => codec.compress(records),
      decompress: () => codec.decompress(compressed, BYTES_MAX),
    };
    const perSecond = new Map<string, number[]>(Object.keys(tasks).map((task) => [task, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [task, value] of await micro({ timeMs, tasks })) {
        perSecond.get(task)?.push((value * records.length) / 2 ** 20);
      }
    }
    if (crc32c(tasks.decompress()) !== sum)
      throw new Error(`${name} does not give back what it got`);
    const ratio = (records.length / compressed.length).toFixed(2);
    rows.push([name, ratio, ...[...perSecond.values()].map(figuresOf)]);
  }
  report.title(
    `codecs: ${count} records, ${records.length} B, ${rounds} rounds of ${timeMs} ms, MiB/s of records`,
  );
  report.table(["", "ratio", "compress", "decompress"], rows);
  report.line(`checksum ${sum.toString(16)}`);
}

function implementations(): readonly (readonly [string, Codec])[] {
  return CODEC_IDS.flatMap((id) => {
    const { native, portable } = codecTwins(id);
    const rows = [[`${portable.name}, portable`, portable] as const];
    return native === undefined ? rows : [[`${native.name}, native`, native] as const, ...rows];
  });
}

/** Lines of JSON with an id of 16 random-looking digits each: what the records of a batch look like before compression. */
function recordsOf(count: number): Uint8Array {
  const inputs: RecordInput[] = Array.from({ length: count }, (_, i) => {
    const id = crc32c(utf8Encode(`${i}`)).toString(16) + crc32c(utf8Encode(`id ${i}`)).toString(16);
    const state = i % 5 === 0 ? "open" : "closed";
    return {
      timestampMs: 1_700_000_000_000 + i * 7,
      key: utf8Encode(`customer-${i % 997}`),
      value: utf8Encode(
        `{"order":${i},"id":"${id}","state":"${state}","total":${(i * 37) % 10_000}}`,
      ),
    };
  });
  return encodeRecords(inputs).bytes.subarray(BATCH_HEADER_BYTES);
}
