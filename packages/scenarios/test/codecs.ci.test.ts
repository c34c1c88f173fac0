import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "karst";
import { test } from "vitest";
import { readByKcat } from "../dist/index.js";
import { inWorld, kcatIsMissing, rowsOf } from "./world.ts";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const ROWS = rowsOf(0, 600);

/** Key and value as the other tests' readers and writers have them: the row's id, its text. */
async function produceByKcat(bootstrap: string, topic: string, codec: string): Promise<void> {
  const args = ["-P", "-E", "-b", bootstrap, "-t", topic, "-p", "0", "-K", "\t", "-z", codec];
  const kcat = spawn("kcat", [...args, "-X", "linger.ms=200"], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  kcat.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  kcat.stdin.end(ROWS.map(({ id, value }) => `${id}\t${value}\n`).join(""));
  const [code] = (await once(kcat, "close")) as [number | null];
  if (code !== 0) throw new Error(`kcat ended with ${code}: ${said.trim()}`);
}

test.skipIf(kcatIsMissing)(
  "kcat reads what is appended in any codec, and the other way round",
  () =>
    inWorld(async (world) => {
      const root = `file:${world.data}`;
      const first = await open({ root });
      for (const compression of CODECS) {
        const topic = first.topic(`karst-${compression}`, { compression });
        await topic.append(ROWS.map(({ id, value }) => ({ key: String(id), value })));
        await Promise.all(ROWS.map(({ id, value }) => topic.append({ key: String(id), value })));
      }
      await first.close();

      const server = await world.serve();
      for (const codec of CODECS) {
        const read = await readByKcat(server.address, `karst-${codec}`);
        assert.deepEqual(
          read.map(({ id, value }) => ({ id, value })),
          [...ROWS, ...ROWS].map(({ id, value }) => ({ id, value })),
          codec,
        );
        await produceByKcat(server.address, `kcat-${codec}`, codec);
      }
      await server.stop();

      const second = await open({ root });
      try {
        for (const codec of CODECS) {
          const read: unknown[] = [];
          for await (const record of second.topic(`kcat-${codec}`, { autoCreate: false }).read()) {
            read.push({
              id: Number(new TextDecoder().decode(record.key ?? undefined)),
              value: record.text(),
            });
          }
          assert.deepEqual(
            read,
            ROWS.map(({ id, value }) => ({ id, value })),
            codec,
          );
        }
      } finally {
        await second.close();
      }
    }),
);
