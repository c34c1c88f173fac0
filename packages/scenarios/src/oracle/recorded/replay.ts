import { type Api, type ApiSpec, createTopicsApi, encodeRequest } from "@karst/kafka-protocol";
import { freePort, Server } from "../../server.ts";
import { within } from "../../within.ts";
import { KafkaConnection } from "../../kafka-connection.ts";
import type { Message } from "../pair.ts";
import type { Run } from "../scenario.ts";
import { clients } from "./clients.ts";
import { type Exchange, RecordingProxy } from "./recording-proxy.ts";
import { Translation } from "./translation.ts";

const PARTITIONS = 3;
const CLIENT_TIMEOUT_MS = 120_000;
/** In a recording clients wait for records that are still to come. */
const WAIT_MS_MAX = 50;

/**
 * Records what real clients ask a broker of ours, and gives both brokers the same requests, one after the other.
 *
 * @param karstArgs of `karst serve`, for the broker that is recorded.
 * @returns how many requests were given, by client.
 */
export async function replayClients(
  run: Run,
  karstArgs: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const [port, proxyPort] = [await freePort(), await freePort()];
  const bootstrap = `127.0.0.1:${proxyPort}`;
  const server = new Server({ port, args: [...karstArgs, "--advertised", bootstrap] });
  const proxy = await RecordingProxy.start(proxyPort, port);
  const counts: Record<string, number> = {};
  try {
    await server.start();
    for (const [name, client] of clients()) {
      const topic = await run.topic({ partitions: PARTITIONS });
      await makeTopic(port, topic);
      const groupId = run.name("group");
      await within(CLIENT_TIMEOUT_MS, `${name} is done`, client({ bootstrap, topic, groupId }));
      counts[name] = await replay(run, name, proxy.take());
    }
    return counts;
  } finally {
    await proxy.close();
    await server.end();
  }
}

async function replay(run: Run, name: string, exchanges: readonly Exchange[]): Promise<number> {
  const translations = { kafka: new Translation(), karst: new Translation() };
  let given = 0;
  for (const { api, version, clientId, request, answer } of exchanges) {
    // Its client has gone before it could be answered.
    if (answer === undefined) continue;
    const answers = await run.pair.call(
      `recorded: ${name}`,
      api as unknown as Api<ApiSpec>,
      version,
      ((at) => patient(at.pick(translations).request(request))) as Message<ApiSpec>,
      { clientId },
    );
    translations.kafka.learn(answer, answers.kafka);
    translations.karst.learn(answer, answers.karst);
    given += 1;
  }
  return given;
}

function patient(request: unknown): unknown {
  const { maxWaitMs } = request as { readonly maxWaitMs?: number };
  if (maxWaitMs === undefined) return request;
  return { ...(request as object), maxWaitMs: Math.min(maxWaitMs, WAIT_MS_MAX) };
}

/** Past the proxy: a topic is made before its clients come. */
async function makeTopic(port: number, name: string): Promise<void> {
  const connection = new KafkaConnection(port);
  const correlationId = connection.nextCorrelationId();
  const topic = {
    name,
    numPartitions: PARTITIONS,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  };
  const header = { apiVersion: 7, correlationId, clientId: "oracle" };
  await connection.send(encodeRequest(createTopicsApi, header, { topics: [topic] }));
  const { tag } = await connection.receive(correlationId);
  connection.close();
  if (tag !== "answer") throw new Error(`topic ${name} was not made: ${tag}`);
}
