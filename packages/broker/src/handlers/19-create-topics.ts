import { type CreateTopicOptions, type Topic, TOPIC_CONFIGS } from "@karst/core";
import {
  type CreateTopicsRequest,
  type CreateTopicsResponseInput,
  ErrorCode,
} from "@karst/kafka-protocol";
import { errorMessageOf, kafkaErrorOf } from "../kafka-errors.ts";
import { type BrokerContext, type Handling, NODE_ID } from "./handler.ts";

/*
 * CreateTopics, versions 2–7. Answered when the topic is committed; `timeoutMs` is not used. Manual assignments are legal where they name
 * this one broker.
 */

type WantedTopic = CreateTopicsRequest["topics"][number];
type CreatedTopic = CreateTopicsResponseInput["topics"][number];

/** Sources of a configuration's value: set on the topic, or nowhere. */
const DYNAMIC_TOPIC_CONFIG = 1;
const DEFAULT_CONFIG = 5;

export function createTopics(
  broker: BrokerContext,
  request: CreateTopicsRequest,
): Handling<CreateTopicsResponseInput> {
  return { response: createAll(broker, request) };
}

async function createAll(
  broker: BrokerContext,
  request: CreateTopicsRequest,
): Promise<CreateTopicsResponseInput> {
  const times = new Map<string, number>();
  for (const { name } of request.topics) times.set(name, (times.get(name) ?? 0) + 1);
  const topics: CreatedTopic[] = [];
  for (const wanted of request.topics) {
    const count = times.get(wanted.name);
    // Answered already: once, however often it is named.
    if (count === undefined) continue;
    times.delete(wanted.name);
    topics.push(
      count > 1
        ? refused(wanted, ErrorCode.INVALID_REQUEST, "the topic is named twice")
        : await createOne(broker, wanted, request.validateOnly),
    );
  }
  return { topics };
}

async function createOne(
  broker: BrokerContext,
  wanted: WantedTopic,
  validateOnly: boolean,
): Promise<CreatedTopic> {
  const problem = replicationProblem(wanted);
  if (problem !== undefined) return refused(wanted, problem.errorCode, problem.message);
  const configs = new Map<string, string>();
  for (const { name, value } of wanted.configs) {
    if (value === null)
      return refused(wanted, ErrorCode.INVALID_CONFIG, `configuration "${name}" has no value`);
    // Given twice: the last one counts, as in Kafka.
    configs.set(name, value);
  }
  const options: CreateTopicOptions = {
    name: wanted.name,
    partitions: partitionCount(broker, wanted),
    configs: Object.fromEntries(configs),
  };
  try {
    if (validateOnly) {
      broker.topics.validate(options);
      return created(wanted, options, undefined);
    }
    return created(wanted, options, await broker.topics.create(options));
  } catch (error) {
    return refused(wanted, kafkaErrorOf(error), errorMessageOf(error));
  }
}

function partitionCount(
  broker: BrokerContext,
  { assignments, numPartitions }: WantedTopic,
): number {
  if (assignments.length > 0) return assignments.length;
  return numPartitions === -1 ? broker.limits.defaultPartitions : numPartitions;
}

/** What a Kafka cluster of one broker would say against the wanted replicas. */
function replicationProblem(
  wanted: WantedTopic,
): { readonly errorCode: number; readonly message: string } | undefined {
  const { assignments, numPartitions, replicationFactor } = wanted;
  if (assignments.length === 0) {
    if (replicationFactor === -1 || replicationFactor === 1) return undefined;
    const message =
      replicationFactor < 1
        ? "Replication factor must be larger than 0, or -1 to use the default value."
        : `Unable to replicate the partition ${replicationFactor} time(s): only 1 broker is registered, and one copy is enough: ` +
          "the storage below is replicated.";
    return { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR, message };
  }
  if (numPartitions !== -1 || replicationFactor !== -1) {
    return {
      errorCode: ErrorCode.INVALID_REQUEST,
      message: "Both counts and manual assignments were given.",
    };
  }
  const indexes = new Set(assignments.map((assignment) => assignment.partitionIndex));
  const consecutive = assignments.every((_, index) => indexes.has(index));
  const onThisBroker = assignments.every(
    ({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === NODE_ID,
  );
  if (consecutive && indexes.size === assignments.length && onThisBroker) return undefined;
  return {
    errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: `Partitions must be numbered from 0, each once, and each must name broker ${NODE_ID} alone.`,
  };
}

function created(
  wanted: WantedTopic,
  options: CreateTopicOptions,
  topic: Topic | undefined,
): CreatedTopic {
  return {
    name: wanted.name,
    ...(topic === undefined ? {} : { topicId: topic.topicId }),
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: options.partitions,
    replicationFactor: 1,
    configs: effectiveConfigs(options.configs ?? {}),
  };
}

/** Every configuration that a topic has, with the value that holds for this one. */
function effectiveConfigs(given: Readonly<Record<string, string>>): CreatedTopic["configs"] {
  return Object.entries(TOPIC_CONFIGS).map(([name, definition]) => {
    const value = given[name];
    return {
      name,
      value: value ?? definition.default,
      readOnly: false,
      configSource: value === undefined ? DEFAULT_CONFIG : DYNAMIC_TOPIC_CONFIG,
      isSensitive: false,
    };
  });
}

function refused(wanted: WantedTopic, errorCode: number, errorMessage: string): CreatedTopic {
  return { name: wanted.name, errorCode, errorMessage, configs: [] };
}
