import { TOPIC_CONFIGS, type Topic, type TopicConfigKind } from "@karst/core";
import {
  type DescribeConfigsRequest,
  type DescribeConfigsResponseInput,
  ErrorCode,
} from "@karst/kafka-protocol";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import { type BrokerLimits, DEFAULT_BROKER_LIMITS } from "../limits.ts";
import { type BrokerContext, type Handling, NODE_ID } from "./handler.ts";

/*
 * DescribeConfigs, versions 1–4: topics, with every configuration of Kafka's, and this broker, with the few that mean something here. A default
 * is its own synonym: there are no broker-wide defaults under other names. Not here: documentation, loggers, client metrics, groups.
 */

const TOPIC = 2;
const BROKER = 4;

/** Where a value comes from. */
const DYNAMIC_TOPIC_CONFIG = 1;
const STATIC_BROKER_CONFIG = 4;
const DEFAULT_CONFIG = 5;

const BOOLEAN = 1;
const STRING = 2;
const INT = 3;
const LIST = 7;

/** The protocol's numbers of types. */
const typeOf: Readonly<Record<TopicConfigKind["tag"], number>> = {
  boolean: BOOLEAN,
  choice: STRING,
  int: INT,
  long: 5,
  double: 6,
  list: LIST,
};

type Resource = DescribeConfigsRequest["resources"][number];
type Result = DescribeConfigsResponseInput["results"][number];
type Config = Result["configs"][number];

export function describeConfigs(
  broker: BrokerContext,
  { resources, includeSynonyms }: DescribeConfigsRequest,
): Handling<DescribeConfigsResponseInput> {
  const results = resources.map((resource): Result => {
    const described = describe(broker, resource);
    const { resourceType, resourceName, configurationKeys } = resource;
    const { errorCode, errorMessage, configs } = described;
    const keys = new Set(configurationKeys);
    const wanted = keys.size === 0 ? configs : configs.filter(({ name }) => keys.has(name));
    return {
      errorCode,
      errorMessage,
      resourceType,
      resourceName,
      configs: includeSynonyms ? wanted : wanted.map((config) => ({ ...config, synonyms: [] })),
    };
  });
  return { response: { results } };
}

interface Description {
  readonly errorCode: number;
  readonly errorMessage: string;
  readonly configs: readonly Config[];
}

function describe(broker: BrokerContext, { resourceType, resourceName }: Resource): Description {
  switch (resourceType) {
    case TOPIC: {
      const topic = broker.topics.byName(resourceName);
      return topic === undefined ? unknownTopic(broker, resourceName) : found(topicConfigs(topic));
    }
    case BROKER:
      // The name of none is that of what all brokers share, which is nothing.
      if (resourceName === "") return found([]);
      return resourceName === String(NODE_ID)
        ? found(brokerConfigs(broker))
        : refused(ErrorCode.INVALID_REQUEST, `this is broker ${NODE_ID}, not ${resourceName}`);
    default:
      return refused(
        ErrorCode.INVALID_REQUEST,
        `resources of type ${resourceType} are not described`,
      );
  }
}

function unknownTopic(broker: BrokerContext, name: string): Description {
  try {
    broker.topics.validate({ name, partitions: 1 });
  } catch (error) {
    return refused(kafkaErrorOf(error), errorMessageOf(error));
  }
  return refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "there is no such topic");
}

function topicConfigs({ configs }: Topic): Config[] {
  return Object.entries(TOPIC_CONFIGS).map(([name, definition]) => {
    const byDefault = { name, value: definition.default, source: DEFAULT_CONFIG };
    const set = Object.hasOwn(configs, name) ? configs[name] : undefined;
    const type = typeOf[definition.kind.tag];
    return set === undefined
      ? config([byDefault], type, false)
      : config([{ name, value: set, source: DYNAMIC_TOPIC_CONFIG }, byDefault], type, false);
  });
}

function brokerConfigs({ limits, advertised, autoCreateTopics }: BrokerContext): Config[] {
  const fixed = (name: string, value: string, configType: number, source: number): Config =>
    config([{ name, value, source }], configType, true);
  const given = (name: string, value: string, configType: number): Config =>
    fixed(name, value, configType, STATIC_BROKER_CONFIG);
  const withDefault = (
    name: string,
    value: boolean | number,
    byDefault: boolean | number,
    configType: number,
  ): Config => {
    const source = value === byDefault ? DEFAULT_CONFIG : STATIC_BROKER_CONFIG;
    return fixed(name, String(value), configType, source);
  };
  const limit = (name: string, of: keyof BrokerLimits): Config =>
    withDefault(name, limits[of], DEFAULT_BROKER_LIMITS[of], INT);
  return [
    given("node.id", String(NODE_ID), INT),
    given("advertised.listeners", `PLAINTEXT://${advertised.host}:${advertised.port}`, LIST),
    withDefault("auto.create.topics.enable", autoCreateTopics, true, BOOLEAN),
    withDefault("default.replication.factor", 1, 1, INT),
    limit("num.partitions", "defaultPartitions"),
    limit("fetch.max.bytes", "fetchBytesMax"),
    limit("max.connections", "connectionsMax"),
    limit("max.incremental.fetch.session.cache.slots", "fetchSessionsMax"),
    limit("socket.request.max.bytes", "frameBytesMax"),
  ];
}

/** @param synonyms what holds first, then what would in its place. */
function config(
  synonyms: readonly [Config["synonyms"][number], ...Config["synonyms"][number][]],
  configType: number,
  readOnly: boolean,
): Config {
  const [{ name, value, source: configSource }] = synonyms;
  const isSensitive = false;
  const documentation = null;
  return { name, value, readOnly, configSource, isSensitive, synonyms, configType, documentation };
}

function found(configs: readonly Config[]): Description {
  return { errorCode: ErrorCode.NONE, errorMessage: "", configs };
}

function refused(errorCode: number, errorMessage: string): Description {
  return { errorCode, errorMessage, configs: [] };
}
