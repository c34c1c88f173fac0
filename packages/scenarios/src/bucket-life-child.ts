import { open } from "karst";

/*
 * bucket-life-child.js ROOT WAL FROM COUNT close|kill: says what it finds, appends, and closes or waits to be killed. Small uploads,
 * so that most records are in the bucket and the last only in the WAL.
 */
const [root = "", wal = "", from = "0", count = "0", end = "close"] = process.argv.slice(2);
const UPLOAD_BYTES = 64 * 1024;
const VALUE_BYTES = 1024;
const IN_FLIGHT = 32;

const engine = await open({ root, wal, limits: { uploadBytes: UPLOAD_BYTES } });
const topic = engine.topic("t", { partitions: 1 });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (Number(from) > 0) {
  for await (const record of topic.read({ from: "earliest" }))
    say(`found ${Number.parseInt(record.text() ?? "", 10)}`);
}
const last = Number(from) + Number(count);
for (let next = Number(from); next < last; next += IN_FLIGHT) {
  const numbers = Array.from({ length: Math.min(IN_FLIGHT, last - next) }, (_, i) => next + i);
  await Promise.all(
    numbers.map(async (number) => {
      const { offset } = await topic.append({ value: `${number} `.padEnd(VALUE_BYTES, "x") });
      say(`acknowledged ${number} ${offset}`);
    }),
  );
}
if (end === "close") {
  await engine.close();
} else {
  say("done");
  setInterval(() => undefined, 1_000);
}
