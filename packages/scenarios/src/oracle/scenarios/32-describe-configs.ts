import { describeConfigsApi } from "@karst/kafka-protocol";
import { type Run, type Scenario, since } from "../scenario.ts";

const TOPIC = 2;
const BROKER = 4;
/** Unknown, any, reserved, a broker's loggers, client metrics, groups, and some that there are not. */
const OTHER_TYPES = [0, 1, 3, 8, 16, 32, 64, -1, 127];
const BAD_NAMES = ["missing", "", "a b", "..", "x".repeat(250)];
const KEYS = ["retention.ms", "cleanup.policy", "no.such.config", "", "segment.bytes"];

interface Resource {
  readonly type: number;
  readonly name: string;
  /** null: all. */
  readonly keys?: readonly string[] | null;
}

interface Options {
  readonly synonyms?: boolean;
  readonly documentation?: boolean;
}

export const describeConfigs: Scenario = {
  apiKey: 32,
  run: async (run) => {
    const plain = await run.topic();
    const configured = await run.topic({
      configs: {
        "cleanup.policy": "compact",
        "retention.ms": "1000",
        "max.message.bytes": "1000",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "1",
      },
    });
    for (const version of run.versions) {
      await ofTopics(run, version, plain, configured);
      await ofBrokers(run, version);
      for (const type of OTHER_TYPES) {
        for (const name of ["", "1", plain])
          await ask(run, version, `type ${type} named ${name.length}`, [{ type, name }]);
      }
    }
    await run.fill(async (version) => {
      const resources = Array.from({ length: run.random.integer(0, 3) }, () => ({
        type: TOPIC,
        name: run.one([plain, configured, "missing", ""]),
        keys: run.random.fraction() < 0.3 ? null : KEYS.filter(() => run.random.fraction() < 0.5),
      }));
      const unique = [...new Map(resources.map((each) => [each.name, each])).values()];
      await ask(run, version, "generated", unique);
    });
  },
};

async function ofTopics(
  run: Run,
  version: number,
  plain: string,
  configured: string,
): Promise<void> {
  const topic = (name: string, keys: Resource["keys"] = null): Resource => ({
    type: TOPIC,
    name,
    keys,
  });
  await ask(run, version, "nothing", []);
  await ask(run, version, "a topic", [topic(plain)]);
  await ask(run, version, "a topic with settings", [topic(configured)]);
  await ask(run, version, "two topics", [topic(configured), topic(plain)]);
  await ask(run, version, "a topic twice", [topic(plain), topic(plain)]);
  await ask(run, version, "a topic twice, other keys", [
    topic(plain, ["retention.ms"]),
    topic(plain, ["cleanup.policy"]),
  ]);
  for (const name of BAD_NAMES)
    await ask(run, version, `unknown topic of ${name.length}`, [topic(name)]);
  await ask(run, version, "known and unknown", [topic(plain), topic("missing")]);
  await ask(run, version, "no keys", [topic(configured, [])]);
  for (const key of KEYS) await ask(run, version, `key "${key}"`, [topic(configured, [key])]);
  await ask(run, version, "keys", [topic(configured, KEYS)]);
  await ask(run, version, "a key twice", [topic(configured, ["retention.ms", "retention.ms"])]);
  for (const name of [plain, configured]) {
    await ask(run, version, "synonyms", [topic(name)], { synonyms: true });
    if (version >= 3) await ask(run, version, "documented", [topic(name)], { documentation: true });
  }
}

async function ofBrokers(run: Run, version: number): Promise<void> {
  const broker = (name: string, keys: Resource["keys"] = null): Resource => ({
    type: BROKER,
    name,
    keys,
  });
  await ask(run, version, "broker", [broker("1")]);
  await ask(run, version, "broker, synonyms", [broker("1")], { synonyms: true });
  await ask(run, version, "broker, keys", [broker("1", ["node.id", "num.partitions"])]);
  await ask(run, version, "broker, unknown key", [broker("1", ["no.such.config"])]);
  for (const name of ["", "2", "-1", "one", "2147483648"])
    await ask(run, version, `broker "${name}"`, [broker(name)]);
}

async function ask(
  run: Run,
  version: number,
  name: string,
  resources: readonly Resource[],
  options: Options = {},
): Promise<void> {
  await run.pair.call(name, describeConfigsApi, version, {
    resources: resources.map((resource) => ({
      resourceType: resource.type,
      resourceName: resource.name,
      configurationKeys: resource.keys ?? null,
    })),
    includeSynonyms: options.synonyms ?? false,
    ...since(version, 3, { includeDocumentation: options.documentation ?? false }),
  });
}
