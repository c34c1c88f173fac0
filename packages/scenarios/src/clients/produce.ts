import assert from "node:assert/strict";
import type { Client, Launch } from "./client.ts";
import { DriverProcess } from "./driver-process.ts";
import type { CodecName, DriverRecord, ReadRecord } from "./events.ts";

/** From the start of a driver's process to its end. */
const PRODUCE_TIMEOUT_MS = 60_000;

export interface ProduceOptions {
  readonly client: Client;
  readonly launch: Launch;
  readonly bootstrap: string;
  readonly topic: string;
  readonly codec: CodecName;
  readonly idempotent: boolean;
  readonly records: readonly DriverRecord[];
}

/** Has a driver send records. @returns them as a reader must find them, at the offsets that were acknowledged. */
export async function produce(options: ProduceOptions): Promise<readonly ReadRecord[]> {
  const { client, bootstrap, topic, codec, records } = options;
  const sent: ReadRecord[] = [];
  const args = Object.entries({
    bootstrap,
    topic,
    codec,
    idempotent: options.idempotent,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const driver = new DriverProcess(
    `${client.name} producing`,
    options.launch,
    ["produce", ...args],
    (event) => {
      if (event.event !== "acknowledged") return;
      const { index, partition, offset } = event;
      const record = records[index];
      assert.ok(record !== undefined, `${client.name} acknowledged record ${index}`);
      assert.ok(sent[index] === undefined, `${client.name} acknowledged record ${index} twice`);
      assert.equal(partition, record.partition, `partition of record ${index}`);
      sent[index] = { ...record, topic, offset };
    },
  );
  for (const record of records) driver.write(`${JSON.stringify(record)}\n`);
  driver.endInput();
  await driver.ended(PRODUCE_TIMEOUT_MS);
  assert.equal(Object.keys(sent).length, records.length, `${client.name} acknowledged`);
  return sent;
}

/**
 * Compares a record that was read with the one that was sent. Where the sender's client sets no times, the time is only looked at.
 *
 * @throws AssertionError that names the record.
 */
export function compare(client: Client, sent: ReadRecord, read: ReadRecord): void {
  const where = `${sent.topic}/${sent.partition}@${sent.offset}, sent by ${client.name}`;
  if (client.lacks?.timestamps === true) {
    // Within the hour of what it could have said.
    assert.ok(Math.abs(read.timestamp - sent.timestamp) < 3_600_000, `${where}: time`);
    assert.deepEqual({ ...read, timestamp: 0 }, { ...sent, timestamp: 0 }, where);
    return;
  }
  assert.deepEqual(read, sent, where);
}
