import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { test } from "vitest";
// The built code: what is killed runs as a process, from `dist`.
import {
  clientNamed,
  createTopics,
  type Launch,
  MemberBook,
  MemberProcess,
  type Server,
} from "../dist/index.js";
import { inWorld, rowsOf } from "./world.ts";

const seed = Number(process.env["KARST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const MEMBERS = 10;
const PARTITIONS = 100;
const CHURN_MS = 55_000;
const CHURN_MS_MAX = 90_000;
const GENERATIONS_MIN = 3;
const STEP_MS = 700;
/** What members ask for: the least that a broker allows by default. */
const SESSION_MS = 6_000;
const REBALANCE_MS = 8_000;
const HEARTBEAT_MS = 500;
/** From the last fault on: sessions of the dead, one rebalance, and connecting again. */
const STABLE_WITHIN_MS = SESSION_MS + REBALANCE_MS + 5_000;
const CAUGHT_UP_WITHIN_MS = 20_000;
const TOPIC = "t";
const GROUP = "g";

/** Numbers from a seed (mulberry32). */
function numbersFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class Churn {
  readonly book = new MemberBook();
  readonly members: MemberProcess[] = [];
  readonly #server: Server;
  readonly #launch: Launch;
  #started = 0;

  constructor(server: Server, launch: Launch) {
    this.#server = server;
    this.#launch = launch;
  }

  /** Starts who is missing. */
  fill(count: number): void {
    for (let missing = count - this.alive.length; missing > 0; missing -= 1) {
      this.#started += 1;
      const name = `m${this.#started}`;
      this.members.push(
        new MemberProcess({
          name,
          launch: this.#launch,
          bootstrap: this.#server.address,
          topics: [TOPIC],
          group: GROUP,
          commit: "client",
          sessionTimeoutMs: SESSION_MS,
          rebalanceTimeoutMs: REBALANCE_MS,
          heartbeatMs: HEARTBEAT_MS,
          onEvent: (event) => this.book.take(name, event),
        }),
      );
    }
  }

  get alive(): readonly MemberProcess[] {
    return this.members.filter(({ hasEnded }) => !hasEnded);
  }

  check(): void {
    for (const member of this.members) member.check();
  }

  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }
}

/** One of the things that happen to a group. */
async function disturb(churn: Churn, server: Server, random: (below: number) => number) {
  const victim = churn.alive[random(Math.max(1, churn.alive.length))];
  const what = random(100);
  if (what < 15) {
    await server.kill();
    await delay(random(500));
    await server.start();
  } else if (what < 25) {
    await victim?.kill();
  } else if (what < 40) {
    await victim?.leave();
  } else if (what < 50) {
    victim?.freeze();
  } else if (what < 65) {
    for (const member of churn.alive) if (member.isFrozen) member.thaw();
  } else {
    churn.fill(Math.min(MEMBERS, churn.alive.length + 1));
  }
}

async function stable(admin: Admin, churn: Churn): Promise<void> {
  const sinceMs = performance.now();
  for (;;) {
    const found = await admin
      .describeGroups([GROUP])
      .then(({ groups }) => groups[0])
      .catch(() => undefined);
    if (found?.state === "Stable" && found.members.length === MEMBERS) return;
    const idle = churn.book.withoutPartitions(churn.alive.map(({ name }) => name));
    const state = `${found?.state} with ${found?.members.length} members, nothing at ${idle.join(", ")}`;
    const complaints = churn.alive.map(({ complaints }) => complaints).join("");
    assert.ok(performance.now() - sinceMs < STABLE_WITHIN_MS, `${state}; ${complaints}`);
    await delay(100);
  }
}

async function committed(admin: Admin): Promise<ReadonlyMap<number, number>> {
  const [topic] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
  return new Map(topic?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
}

test(
  `ten members over 100 partitions survive a minute of joins, leaves, pauses and SIGKILLs of the broker (KARST_SEED=${seed})`,
  () =>
    inWorld(async (world) => {
      const random = numbersFrom(seed);
      const server = await world.serve();
      await createTopics(server.address, [TOPIC], PARTITIONS);
      const churn = new Churn(server, await clientNamed("kafkajs").prepare());
      const kafka = new Kafka({
        clientId: "judge",
        brokers: [server.address],
        logLevel: logLevel.NOTHING,
        retry: { retries: 10_000, initialRetryTime: 50, maxRetryTime: 300 },
      });
      const admin = kafka.admin();
      await admin.connect();
      const producer = kafka.producer();
      await producer.connect();
      let id = 0;
      const enough = new AbortController();
      const produce = async (): Promise<void> => {
        // Numbers of its own: how fast it is does not change what happens to the group.
        const partitions = numbersFrom(seed + 1);
        while (!enough.signal.aborted) {
          const partition = partitions(PARTITIONS);
          const rows = rowsOf(id, 10).map(({ value }) => ({ value, partition }));
          await producer.send({ topic: TOPIC, messages: rows });
          id += 10;
          await delay(20);
        }
      };
      try {
        churn.fill(MEMBERS);
        const produced = produce();
        const sinceMs = performance.now();
        const ranMs = (): number => performance.now() - sinceMs;
        // On a slow machine a rebalance takes longer than what happens next: it goes on until there were some.
        const isEnough = (): boolean =>
          churn.book.generations >= GENERATIONS_MIN && server.kills >= 1;
        while (ranMs() < CHURN_MS || (!isEnough() && ranMs() < CHURN_MS_MAX)) {
          await disturb(churn, server, random);
          await delay(random(2 * STEP_MS));
          churn.check();
        }
        for (const member of churn.alive) if (member.isFrozen) member.thaw();
        churn.fill(MEMBERS);
        await stable(admin, churn);
        enough.abort();
        await produced;

        const ends = await admin.fetchTopicOffsets(TOPIC);
        let offsets = await committed(admin);
        for (const sinceMs = performance.now(); ;) {
          offsets = await committed(admin);
          const isDone = ends.every(
            ({ partition, high }) => (offsets.get(partition) ?? -1) >= Number(high) || high === "0",
          );
          if (isDone) break;
          assert.ok(performance.now() - sinceMs < CAUGHT_UP_WITHIN_MS, "members do not catch up");
          await delay(200);
        }
        await churn.end();
        churn.check();
        offsets = await committed(admin);
        churn.book.checkCommits(offsets);
        churn.book.checkDeliveries(offsets);
        assert.equal(
          churn.book.delivered,
          ends.reduce((sum, { high }) => sum + Number(high), 0),
        );
        const { generations, commits } = churn.book;
        console.log(
          `${generations} generations, ${commits} offsets committed, ${id} records, ${server.kills} kills`,
        );
        assert.ok(isEnough() && commits > 0);
      } finally {
        enough.abort();
        await churn.end();
        await producer.disconnect();
        await admin.disconnect();
      }
      await server.stop();
    }),
  180_000,
);
