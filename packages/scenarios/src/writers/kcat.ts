import { spawn } from "node:child_process";
import type { Row } from "../dataset.ts";
import { LaneWriter } from "./lanes.ts";
import type { Writer, WriterOptions } from "./writer.ts";

/** Longer than kcat's own patience. */
const TIMEOUT_MS = 150_000;
const DELIVERED = /Message delivered to partition (\d+) \(offset (\d+)\)/;

/** One kcat process per batch; it prints each delivery, in order, as long as requests of a partition do not overtake each other. */
export function kcatWriter(options: WriterOptions): Promise<Writer> {
  return Promise.resolve(
    new LaneWriter(
      options,
      (partition, rows) => produceByKcat(options, partition, rows),
      () => Promise.resolve(),
    ),
  );
}

function produceByKcat(
  options: WriterOptions,
  partition: number,
  rows: readonly Row[],
): Promise<number[]> {
  const settings = [
    `enable.idempotence=${options.idempotent}`,
    ...(options.idempotent ? [] : ["max.in.flight.requests.per.connection=1"]),
    "message.timeout.ms=120000",
    "request.timeout.ms=60000",
    "reconnect.backoff.ms=20",
    "reconnect.backoff.max.ms=200",
    "retry.backoff.ms=50",
    "topic.metadata.refresh.interval.ms=500",
  ];
  const args = [
    "-P",
    "-E",
    "-vvv",
    "-b",
    options.bootstrap,
    "-t",
    options.topic,
    "-p",
    String(partition),
    "-K",
    "\t",
    "-z",
    options.compression,
  ];
  for (const setting of settings) args.push("-X", setting);
  return new Promise((resolve, reject) => {
    const kcat = spawn("kcat", args, {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const offsets: number[] = [];
    let rest = "";
    let said = "";
    kcat.stderr.setEncoding("utf8");
    kcat.stderr.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const match = DELIVERED.exec(line);
        if (match === null) said = `${said}\n${line}`.slice(-2_000);
        else offsets.push(Number(match[2]));
      }
    });
    kcat.on("error", reject);
    kcat.on("close", (code, signal) => {
      if (code === 0 && offsets.length === rows.length) resolve(offsets);
      else
        reject(
          new Error(
            `kcat ended with ${code ?? signal}, ${offsets.length} of ${rows.length} delivered:${said.slice(0, 400)}`,
          ),
        );
    });
    kcat.stdin.on("error", () => undefined);
    kcat.stdin.end(rows.map((row) => `${row.id}\t${row.value}\n`).join(""));
  });
}
