import { closeSync, mkdirSync, openSync, readdirSync, readSync } from "node:fs";
import { crc32c } from "@karst/runtime";
import type { DeviceKind } from "@karst/wal";
import { type Benchmark, type BenchmarkContext, sized } from "./benchmark.ts";
import { figuresOf, ratiosOf } from "./measure/figures.ts";
import { type Contestant, interleave } from "./measure/interleave.ts";
import { addValue } from "./values.ts";
import { recoverWal, WalLog } from "./wal-log.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const READ_BYTES = MiB;
const IN_FLIGHT = 256;

export const recoveryBenchmark: Benchmark = {
  name: "recovery",
  summary: "claiming and recovering a WAL, per GiB, beside reading and checking its files",
  run: async (context) => {
    for (const frameBytes of [1_024, 65_536]) await compare(context, frameBytes);
  },
};

async function compare(
  { size, folder, report }: BenchmarkContext,
  frameBytes: number,
): Promise<void> {
  const bytes = sized(size, { smoke: 2 * MiB, real: 512 * MiB });
  const rounds = sized(size, { smoke: 1, real: 7 });
  const frames = bytes / frameBytes;
  const directory = `${folder}/${frameBytes}`;
  mkdirSync(directory);
  const expected = await fill(directory, frames, frameBytes);
  const contestants: readonly Contestant<number>[] = [
    { name: "bare: read and CRC", run: () => timed(async () => readFiles(directory)) },
    { name: "recover, worker", run: () => recoverOnce(directory, "worker", frames) },
    { name: "recover, inline", run: () => recoverOnce(directory, "inline", frames) },
  ];
  const outcomes = await interleave(contestants, { rounds });
  const perGiB = (name: string): number[] =>
    (outcomes.get(name) ?? []).map((seconds) => (seconds * GiB) / bytes);

  report.title(`recovery: ${bytes / MiB} MiB in frames of ${frameBytes} B, ${rounds} rounds`);
  report.table(
    ["", "s per GiB", "MiB/s", "of bare"],
    [...outcomes.keys()].map((name) => [
      name,
      figuresOf(perGiB(name)),
      figuresOf(perGiB(name).map((seconds) => 1_024 / seconds)),
      ratiosOf(perGiB("bare: read and CRC"), perGiB(name)),
    ]),
  );
  const found = await sumOf(directory);
  if (found !== expected) throw new Error("what was recovered is not what was appended");
  report.line(`checksum ${found.toString(16)}`);
}

/** Appends `frames` payloads and leaves them, as a crash does. @returns the checksum of all. */
async function fill(directory: string, frames: number, frameBytes: number): Promise<number> {
  const log = await WalLog.open(directory, "worker");
  const payload = new Uint8Array(frameBytes).map((_, i) => (i * 131) & 0xff);
  const view = new DataView(payload.buffer);
  let sum = 0;
  for (let i = 0; i < frames; i += IN_FLIGHT) {
    const appends: Promise<void>[] = [];
    for (let at = i; at < Math.min(i + IN_FLIGHT, frames); at += 1) {
      view.setUint32(0, at);
      appends.push(log.append(payload));
      sum = addValue(sum, payload);
    }
    await Promise.all(appends);
  }
  await log.abandon();
  return sum;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await run();
  return (performance.now() - beganMs) / 1_000;
}

/** Everything that lies in the directory, once through the page cache and the CRC. */
function readFiles(directory: string): number {
  const buffer = new Uint8Array(READ_BYTES);
  let crc = 0;
  for (const name of readdirSync(directory)) {
    const fd = openSync(`${directory}/${name}`, "r");
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) break;
      crc = crc32c(buffer.subarray(0, count), crc);
    }
    closeSync(fd);
  }
  return crc;
}

/** @returns seconds until the WAL would take appends. */
async function recoverOnce(directory: string, device: DeviceKind, frames: number): Promise<number> {
  let count = 0;
  const beganMs = performance.now();
  const wal = await recoverWal(directory, device, () => {
    count += 1;
  });
  const seconds = (performance.now() - beganMs) / 1_000;
  await wal.abandon();
  if (count !== frames) throw new Error(`${count} of ${frames} frames were recovered`);
  return seconds;
}

async function sumOf(directory: string): Promise<number> {
  let sum = 0;
  const wal = await recoverWal(directory, "worker", (frame) => {
    sum = addValue(sum, frame.payload);
  });
  await wal.close();
  return sum;
}
