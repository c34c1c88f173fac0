import { type AnyApi, apis, apiVersionsApi, type ApiVersionsResponse } from "@karst/kafka-protocol";
import { Seeded } from "../seeded.ts";
import { freePort, Server } from "../server.ts";
import { ACCEPTED } from "./accepted.ts";
import { untilKafkaCoordinates } from "./coordinators.ts";
import { learnEpochBase } from "./epochs.ts";
import { kafkaScript } from "./kafka-process.ts";
import { type Both, Pair, Side } from "./pair.ts";
import { producerIds } from "./producers.ts";
import { replayClients } from "./recorded/replay.ts";
import { COMPARISONS_MIN, Run } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { Tally } from "./tally.ts";

export interface OracleOptions {
  readonly seed: number;
  /** Only these APIs. */
  readonly apiKeys?: readonly number[];
  /** Ends the run before its time; both brokers are stopped. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (sentence: string) => void;
}

export interface OracleReport {
  readonly kafka: string;
  readonly seconds: number;
  readonly compared: number;
  readonly differing: number;
  /** What fails the run beside differences. */
  readonly problems: readonly string[];
  /** How many of the requests were recorded from a client, by its name. */
  readonly recorded: Readonly<Record<string, number>>;
  readonly apis: readonly ApiReport[];
}

export interface ApiReport {
  readonly key: number;
  readonly name: string;
  readonly versions: string;
  readonly compared: number;
  readonly equal: number;
  readonly accepted: number;
  readonly differing: number;
  readonly differences: readonly object[];
}

/** As `scripts/kafka.mjs` sets Kafka up: the first member of a group waits for no other. */
const KARST_ARGS = ["--root", "memory:", "--group-initial-rebalance-delay-ms", "0"];

/** Starts both brokers, gives both the requests of every scenario, and says where their answers differ. */
export async function runOracle(options: OracleOptions): Promise<OracleReport> {
  const beganMs = performance.now();
  const script = await kafkaScript();
  const missing = script.missingForKafka();
  if (missing !== undefined) throw new Error(missing);
  const say = options.onProgress ?? ((): void => undefined);
  say("starting Kafka and Karst");
  const karst = new Server({ port: await freePort(), args: KARST_ARGS });
  const kafka = await script.startKafka();
  try {
    await karst.start();
    const sides = {
      kafka: new Side("kafka", kafka.port),
      karst: new Side("karst", Number(karst.address.split(":")[1])),
    };
    const report = await Promise.race([compareAll(sides, options, say), aborted(options.signal)]);
    const seconds = Math.round((performance.now() - beganMs) / 1_000);
    return { kafka: kafka.version, seconds, ...report };
  } finally {
    await karst.end();
    await kafka.stop();
  }
}

/** Rejects when the signal says so, else never settles. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("stopped before the end")));
  });
}

async function compareAll(
  sides: Both<Side>,
  { seed, apiKeys }: OracleOptions,
  say: (sentence: string) => void,
): Promise<Omit<OracleReport, "kafka" | "seconds">> {
  const tally = new Tally();
  const problems: string[] = [];
  const compared: { readonly api: AnyApi; readonly versions: readonly number[] }[] = [];
  const first = new Pair(sides, tally);
  const advertised = await advertisedBy(first);
  await warmUp(sides, tally);
  first.close();
  for (const [apiKey, ofKarst] of advertised.karst) {
    const api = apis.get(apiKey) as AnyApi;
    if (!SCENARIOS.some((each) => each.apiKey === apiKey))
      problems.push(`${api.name} is advertised and has no scenario`);
    const ofKafka = advertised.kafka.get(apiKey);
    if (ofKafka === undefined) problems.push(`Kafka does not advertise ${api.name}`);
    else if (ofKarst.max > ofKafka.max) problems.push(`${api.name} goes beyond Kafka's versions`);
  }
  // First: what scenarios leave behind is not the same everywhere where a difference is accepted.
  let recorded: Readonly<Record<string, number>> = {};
  if (apiKeys === undefined) {
    const pair = new Pair(sides, tally);
    const random = new Seeded(seed);
    const prefix = "oracle-recorded";
    try {
      const run = new Run({ pair, random, versions: [], apiKey: -1, tally, prefix });
      recorded = await replayClients(run, KARST_ARGS);
      say(`recorded: ${JSON.stringify(recorded)}`);
    } catch (error) {
      problems.push(`recorded: ${String(error)}`);
    } finally {
      pair.close();
    }
  }
  for (const { apiKey, run } of SCENARIOS) {
    const ofKarst = advertised.karst.get(apiKey);
    const ofKafka = advertised.kafka.get(apiKey);
    const api = apis.get(apiKey);
    if (ofKarst === undefined || ofKafka === undefined || api === undefined) continue;
    if (apiKeys !== undefined && !apiKeys.includes(apiKey)) continue;
    const versions = range(
      Math.max(ofKarst.min, ofKafka.min, api.versions.min),
      Math.min(ofKarst.max, ofKafka.max),
    );
    const pair = new Pair(sides, tally);
    const began = performance.now();
    const random = new Seeded(seed + apiKey);
    const prefix = `oracle-${apiKey}`;
    try {
      await run(new Run({ pair, random, versions, apiKey, tally, prefix }));
    } catch (error) {
      problems.push(`${api.name}: ${String(error)}`);
    } finally {
      pair.close();
    }
    const report = tally.report(apiKey);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    say(
      `${api.name}: ${report.compared} compared, ${report.equal} equal, ${report.accepted} accepted, ${report.differing} differing, ${seconds} s`,
    );
    if (report.compared < COMPARISONS_MIN)
      problems.push(`${api.name}: only ${report.compared} requests compared`);
    compared.push({ api, versions });
  }
  const reports = compared.map(({ api, versions }): ApiReport => {
    const [min, max] = [versions[0], versions.at(-1)];
    return { key: api.key, name: api.name, versions: `${min}-${max}`, ...tally.report(api.key) };
  });
  if (apiKeys === undefined) {
    const ran = new Set(compared.map(({ api }) => api.key));
    const unmet = ACCEPTED.filter(
      (each) => !tally.used.has(each) && (each.apiKey === undefined || ran.has(each.apiKey)),
    );
    for (const { apiKey, field, case: name } of unmet)
      problems.push(`accepted, and not met: ${apiKey ?? "any"} ${field}, ${name ?? "any case"}`);
  }
  const { total, differing } = tally;
  return { compared: total, differing, problems, recorded, apis: reports };
}

interface VersionRange {
  readonly min: number;
  readonly max: number;
}

async function advertisedBy(pair: Pair): Promise<Both<ReadonlyMap<number, VersionRange>>> {
  const answers = await pair.call("versions", apiVersionsApi, 0, {}, { uncounted: true });
  const ranges = (answer: ApiVersionsResponse | undefined): Map<number, VersionRange> =>
    new Map(
      (answer?.apiKeys ?? []).map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    );
  return { kafka: ranges(answers.kafka), karst: ranges(answers.karst) };
}

/** Until both have what the first request of its kind waits for, and their epochs are known. */
async function warmUp(sides: Both<Side>, tally: Tally): Promise<void> {
  const pair = new Pair(sides, tally);
  const random = new Seeded(0);
  const run = new Run({ pair, random, versions: [], apiKey: -1, tally, prefix: "oracle-epoch" });
  try {
    await learnEpochBase(run);
    await producerIds(run);
    await untilKafkaCoordinates(run);
  } finally {
    pair.close();
  }
}

function range(min: number, max: number): readonly number[] {
  return Array.from({ length: max - min + 1 }, (_, at) => min + at);
}
