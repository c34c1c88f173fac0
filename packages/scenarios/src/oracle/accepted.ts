import type { Difference } from "./difference.ts";
import type { Plain } from "./normal-form.ts";

/** The broker's answer has no such element. */
export const ABSENT: unique symbol = Symbol("absent");
export type Absent = typeof ABSENT;

/** A difference that we mean. All that is given must hold. */
export interface Accepted {
  /** Absent: of any API. */
  readonly apiKey?: number;
  /** Path of the field; a `*` stands for anything. */
  readonly field: string;
  readonly kafka?: Plain | Absent;
  readonly karst?: Plain | Absent;
  /** Versions, both ends included. */
  readonly versions?: readonly [number, number];
  /** The case's name; a `*` stands for anything. */
  readonly case?: string;
  /** Why it is so, for those who use both. */
  readonly reason: string;
}

const PRODUCE = 0;
const FETCH = 1;
const LIST_OFFSETS = 2;
const METADATA = 3;
const FIND_COORDINATOR = 10;
const API_VERSIONS = 18;
const CREATE_TOPICS = 19;
const DELETE_TOPICS = 20;
const DESCRIBE_GROUPS = 15;
const DESCRIBE_CONFIGS = 32;
const OFFSET_DELETE = 47;

/** A batch that they answer with different codes; where one has taken it, only that one has an offset. */
function produced(name: string, kafka: number, karst: number, reason: string): readonly Accepted[] {
  const of = { apiKey: PRODUCE, case: name, reason };
  const offset = { ...of, field: "responses[].partitionResponses[].baseOffset" };
  return [
    { ...of, field: "responses[].partitionResponses[].errorCode", kafka, karst },
    ...(kafka === 0 ? [{ ...offset, karst: -1 }] : []),
    ...(karst === 0 ? [{ ...offset, kafka: -1 }] : []),
  ];
}

/** Bad batches, and the code with which Kafka refuses what comes with them in one request. */
const BESIDE_A_GOOD_ONE: readonly Accepted[] = [
  ...(
    [
      ["magic *", 2],
      ["12 bytes", 2],
      ["zeros", 2],
      ["length negative", 2],
      ["a control batch of a producer", 53],
      ["codec *", -1],
    ] as const
  ).flatMap(([what, code]) => [
    { field: "errorCode", kafka: code, karst: 0, case: `${what}, beside a good one` },
    { field: "baseOffset", kafka: -1, case: `${what}, beside a good one` },
    { field: "logStartOffset", kafka: -1, karst: 0, case: `${what}, beside a good one` },
  ]),
  { field: "errorMessage", kafka: "words", karst: null, case: "*, beside a good one" },
].map((each) => ({
  ...each,
  apiKey: PRODUCE,
  field: `responses[].partitionResponses[].${each.field}`,
  reason: "A bad batch costs its own partition only; in Kafka some cost the whole request.",
}));

export const ACCEPTED: readonly Accepted[] = [
  {
    apiKey: API_VERSIONS,
    field: "apiKeys[*]",
    karst: ABSENT,
    reason: "Karst advertises what it implements, and nothing else.",
  },
  {
    apiKey: API_VERSIONS,
    field: "supportedFeatures[*]",
    karst: ABSENT,
    reason: "Karst has none of Kafka's features that are switched on by a level.",
  },
  {
    apiKey: API_VERSIONS,
    field: "finalizedFeatures[*]",
    karst: ABSENT,
    reason: "Karst has none of Kafka's features that are switched on by a level.",
  },
  {
    apiKey: API_VERSIONS,
    field: "finalizedFeaturesEpoch",
    karst: -1,
    reason: "Without features there is no epoch of theirs: clients take -1 as unknown.",
  },
  {
    apiKey: METADATA,
    field: "topics[].*",
    case: "a topic to be made",
    reason:
      "Kafka answers that the topic is unknown and makes it meanwhile; Karst answers when it is made.",
  },
  {
    apiKey: METADATA,
    field: "*",
    case: "the zero id",
    reason:
      "Kafka answers a topic with neither name nor id with an unexpected error; Karst says that there is no such id.",
  },
  {
    apiKey: METADATA,
    field: "topics.length",
    case: "by id and by name",
    reason:
      "Where one topic is wanted by its id, Kafka forgets those wanted by name; Karst answers all.",
  },
  {
    apiKey: DELETE_TOPICS,
    field: "responses[].name",
    karst: null,
    case: "id and name of one",
    reason:
      "What was wanted by its id and by its name is refused by both; Karst answers it by the id.",
  },
  {
    apiKey: CREATE_TOPICS,
    field: "topics[].topicId",
    karst: "no id",
    reason: "An id is minted when a topic is made, not when it is validated.",
  },
  ...(
    [
      [CREATE_TOPICS, "topics"],
      [DESCRIBE_CONFIGS, "results"],
    ] as const
  ).map(([apiKey, list]) => ({
    apiKey,
    field: `${list}[].configs[min.insync.replicas].configSource`,
    kafka: 3,
    karst: 5,
    reason: "A Kafka cluster has a dynamic default of its own for this one.",
  })),
  {
    apiKey: CREATE_TOPICS,
    field: "topics[].*",
    case: "colliding with another of the request*",
    reason:
      "Kafka compares with topics that exist, not with those of the same request; Karst compares with both.",
  },
  ...["retention.ms= 1000 ", "retention.bytes=-2", "cleanup.policy=", "preallocate=TRUE"].map(
    (setting) => ({
      apiKey: CREATE_TOPICS,
      field: "topics[].*",
      case: `with ${setting}`,
      reason:
        "Karst takes a setting only as it is written in Kafka's documentation, and refuses it otherwise.",
    }),
  ),
  {
    apiKey: CREATE_TOPICS,
    field: "topics[].*",
    case: "with max.message.bytes=2147483647",
    reason: "A batch has to fit into a slab of memory: Karst refuses a limit that it cannot keep.",
  },
  ...[
    "compression.gzip.level=0",
    "compression.gzip.level=10",
    "compression.lz4.level=18",
    "compression.zstd.level=23",
    "segment.bytes=1",
    "min.compaction.lag.ms=10 max.compaction.lag.ms=5",
    "leader.replication.throttled.replicas=zero",
  ].map((setting) => ({
    apiKey: CREATE_TOPICS,
    field: "topics[].*",
    case: `with ${setting}`,
    reason: "Settings that Karst keeps and does not act upon are checked for their type only.",
  })),
  {
    apiKey: PRODUCE,
    field: "responses[].partitionResponses[].errorMessage",
    kafka: null,
    karst: "words",
    reason: "Karst says what is wrong in words where Kafka has a code alone.",
  },
  {
    apiKey: PRODUCE,
    field: "responses[].partitionResponses[].logStartOffset",
    kafka: 0,
    karst: -1,
    reason: "With an error Karst answers no log start; clients do not look at it.",
  },
  {
    apiKey: PRODUCE,
    field: "responses[].partitionResponses[].recordErrors.length",
    kafka: 1,
    karst: 0,
    reason: "A batch is refused as a whole: Karst does not name the record.",
  },
  {
    apiKey: PRODUCE,
    field: "responses[].partitionResponses[].logAppendTimeMs",
    kafka: "a time",
    karst: -1,
    case: "producer: duplicate*",
    reason:
      "Kafka answers a duplicate with the time in its batch, also where the producer sets the times; Karst answers it as it did the first.",
  },
  {
    apiKey: PRODUCE,
    field: "(outcome)",
    kafka: "no answer in time",
    case: "no records",
    reason: "Kafka never answers a partition whose records are null; Karst refuses it.",
  },
  {
    apiKey: PRODUCE,
    field: "responses[].partitionResponses.length",
    kafka: 1,
    karst: 2,
    case: "a partition twice",
    reason: "Kafka drops one of the two batches without a word; Karst appends and answers both.",
  },
  ...BESIDE_A_GOOD_ONE,
  ...["magic 3*", "magic -1*", "12 bytes*", "zeros*"].flatMap((what) =>
    produced(what, 2, 87, "Not a batch of format 2, or none: refused by both, with another code."),
  ),
  ...["codec 5*", "codec 7*"].flatMap((what) =>
    produced(what, -1, 76, "Kafka answers a codec that does not exist with an unexpected error."),
  ),
  ...produced(
    "* that is none*",
    -1,
    0,
    "Karst decompresses nothing that it appends to a topic that is not compacted: damage within the CRC is the producer's, and shows when it is read.",
  ),
  ...produced(
    "record delta wrong*",
    0,
    87,
    "Kafka writes a batch anew whose offsets do not follow each other; Karst keeps batches as they are, and refuses it.",
  ),
  ...["a batch and a part of one*", "a byte too many*"].flatMap((what) =>
    produced(
      what,
      0,
      87,
      "Kafka drops what follows the batch without a word; Karst refuses the whole.",
    ),
  ),
  ...produced(
    "claims an append time*",
    0,
    32,
    "Only a broker may write an append time; Karst refuses the claim, Kafka takes the batch and keeps it.",
  ),
  ...produced(
    "compacted, damaged *",
    -1,
    87,
    "Kafka answers what it cannot decompress with an unexpected error; Karst says that the record is invalid.",
  ),
  ...produced(
    "a control batch of a producer*",
    53,
    87,
    "Transactions are not there yet: refused by both, with another code.",
  ),
  ...produced(
    "transactional batch, no id",
    53,
    48,
    "Transactions are not there yet: refused by both, with another code.",
  ),
  ...produced(
    "producer: negative epoch",
    47,
    87,
    "Refused by both; Karst says that the record is invalid, not that its epoch is.",
  ),
  ...[FETCH, LIST_OFFSETS].map((apiKey) => ({
    apiKey,
    field: "*",
    case: "isolation 2",
    reason: "There is no such isolation: Kafka answers with an unexpected error, Karst as to 0.",
  })),
  {
    apiKey: FETCH,
    field: "responses[].partitions[].abortedTransactions",
    kafka: [],
    karst: null,
    reason: "With an error Kafka answers an empty list, Karst none; clients do not look at it.",
  },
  ...["negative bytes", "negative partition bytes"].map((what) => ({
    apiKey: FETCH,
    field: "responses[].partitions[].*",
    case: what,
    reason:
      "Kafka answers a negative limit with an unexpected error; to Karst it is as zero: the first batch comes whatever the limit.",
  })),
  {
    apiKey: FIND_COORDINATOR,
    field: "errorMessage",
    kafka: "words",
    karst: null,
    reason: "Without an error Kafka answers the word NONE, Karst null.",
  },
  {
    apiKey: FIND_COORDINATOR,
    field: "coordinators[].errorMessage",
    kafka: "",
    karst: null,
    reason: "Without an error Kafka answers an empty text, Karst null.",
  },
  ...["type 1", "type 1, empty key"].map((name) => ({
    apiKey: FIND_COORDINATOR,
    field: "*",
    case: name,
    reason: "Transactions are not there yet: nobody coordinates them.",
  })),
  {
    apiKey: FIND_COORDINATOR,
    field: "coordinators[].errorMessage",
    kafka: "",
    karst: "words",
    reason: "Karst says what is wrong in words where Kafka has a code alone.",
  },
  {
    apiKey: DESCRIBE_GROUPS,
    field: "groups[].members[].memberAssignment",
    karst: "",
    case: "completing again",
    reason: "What a member had in the generation before is forgotten when the next one begins.",
  },
  ...["errorCode", "topics.length"].map((field) => ({
    apiKey: OFFSET_DELETE,
    field,
    case: "after the last",
    reason:
      "A group that never had members is gone with its last offset; Kafka keeps it until it cleans up.",
  })),
  {
    apiKey: DESCRIBE_CONFIGS,
    field: "results[].errorMessage",
    kafka: "",
    karst: "words",
    reason: "Karst says what is wrong in words where Kafka has a code alone.",
  },
  {
    apiKey: DESCRIBE_CONFIGS,
    field: "results[].configs[*].documentation",
    kafka: "words",
    karst: null,
    case: "documented",
    reason: "Karst does not carry the texts of Kafka's documentation.",
  },
  ...["synonyms[].name", "synonyms.length"].map((field) => ({
    apiKey: DESCRIBE_CONFIGS,
    field: `results[].configs[*].${field}`,
    case: "synonyms",
    reason:
      "In Kafka a topic's default may come from a setting of the broker under another name; in Karst a default is its own synonym.",
  })),
  ...["broker", "broker, synonyms", 'broker ""'].map((name) => ({
    apiKey: DESCRIBE_CONFIGS,
    field: "results[].configs[*]",
    karst: ABSENT,
    case: name,
    reason: "Of Kafka's settings of a broker Karst tells those that mean something here.",
  })),
  ...["value", "synonyms[].value"].map((field) => ({
    apiKey: DESCRIBE_CONFIGS,
    field: `results[].configs[max.connections].${field}`,
    kafka: "2147483647",
    case: "broker*",
    reason: "Karst takes a limited number of connections, Kafka by default any.",
  })),
  {
    apiKey: DESCRIBE_CONFIGS,
    field: "results[].configs[max.connections].readOnly",
    kafka: false,
    karst: true,
    case: "broker*",
    reason: "The settings of a broker do not change while it runs.",
  },
  ...["8", "16", "32"].map((type) => ({
    apiKey: DESCRIBE_CONFIGS,
    field: "results[].*",
    case: `type ${type} named *`,
    reason: "Karst has no settings of loggers, client metrics or groups.",
  })),
];

export function acceptedBy(
  {
    apiKey,
    version,
    name,
  }: { readonly apiKey: number; readonly version: number; readonly name: string },
  difference: Difference,
): Accepted | undefined {
  return ACCEPTED.find(
    (each) =>
      (each.apiKey === undefined || each.apiKey === apiKey) &&
      matches(each.field, difference.path) &&
      (!("kafka" in each) || same(each.kafka, difference.kafka)) &&
      (!("karst" in each) || same(each.karst, difference.karst)) &&
      (each.versions === undefined ||
        (version >= each.versions[0] && version <= each.versions[1])) &&
      (each.case === undefined || matches(each.case, name)),
  );
}

function same(wanted: Plain | Absent | undefined, value: Plain | undefined): boolean {
  if (wanted === ABSENT) return value === undefined;
  return JSON.stringify(wanted) === JSON.stringify(value);
}

function matches(pattern: string, path: string): boolean {
  return new RegExp(`^${patternOf(pattern)}$`).test(path);
}

function patternOf(text: string): string {
  const parts = text.split("*").map((part) => part.replace(/[.[\]()+?^$|]/g, String.raw`\$&`));
  return parts.join(".*");
}
