import {
  BATCH_HEADER_BYTES,
  batchCrc,
  LOG_APPEND_TIME_BIT,
  readBatchBytes,
  readBatchHeader,
} from "@karst/records";
import { viewOf } from "@karst/runtime";
import type { Identities } from "./identities.ts";

/** Plain data of which two answers are compared: no bytes, no ids, no clocks. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** Arrays whose elements are told apart by this field, and by nothing but it. */
export const NAMED_ELEMENTS: ReadonlyMap<string, string> = new Map([
  ["apiKeys", "apiKey"],
  ["configs", "name"],
  ["supportedFeatures", "name"],
  ["finalizedFeatures", "name"],
]);

/** By which elements are put in order: theirs has no meaning to a client, who looks for the names. */
const ORDER_FIELDS = [
  "name",
  "topic",
  "topicId",
  "groupId",
  "resourceName",
  "key",
  "memberId",
  "apiKey",
  "nodeId",
  "index",
  "partition",
  "partitionIndex",
];

/** An answer in its normal form. What one broker alone can know has become a token, or is gone. */
export function normalForm(message: unknown, identities: Identities): Plain {
  learn(message, identities);
  return plain("", message, identities);
}

/** Topic ids stand beside the names; in the same answer both may be new. */
function learn(value: unknown, identities: Identities): void {
  if (Array.isArray(value)) {
    for (const element of value) learn(element, identities);
  } else if (isStruct(value)) {
    const { topicId, name, topic } = value;
    const named = typeof name === "string" ? name : topic;
    if (typeof topicId === "string" && typeof named === "string" && named !== "")
      identities.learnTopic(named, topicId);
    for (const inner of Object.values(value)) learn(inner, identities);
  }
}

function plain(field: string, value: unknown, identities: Identities): Plain {
  if (field === "records") {
    if (value instanceof Uint8Array) return batches(value, identities);
    return value === null ? "no records" : "?";
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) {
    const elements = value
      .filter(isShared)
      .map((element) => plain(elementOf(field), element, identities));
    return inOrder(elements);
  }
  if (isStruct(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => name !== "throttleTimeMs")
        .map(([name, inner]) => [name, plain(name, inner, identities)]),
    );
  }
  return scalar(field, value as null | boolean | number | string, identities);
}

/** Kafka keeps its own state in topics, which it lists with the others. */
const KAFKA_TOPICS: ReadonlySet<unknown> = new Set(["__consumer_offsets", "__transaction_state"]);

function isShared(element: unknown): boolean {
  return !(isStruct(element) && KAFKA_TOPICS.has(element["name"]));
}

/** Elements of an array of scalars are not judged by the array's name. */
function elementOf(field: string): string {
  return `${field}[]`;
}

/** Of a listener, in a setting. */
const OWN_ADDRESS = /^(PLAINTEXT:\/\/127\.0\.0\.1:)\d+$/;

function scalar(
  field: string,
  value: null | boolean | number | string,
  identities: Identities,
): Plain {
  switch (field) {
    case "topicId":
      return identities.topicToken(String(value));
    case "clusterId":
      return typeof value === "string" && value.length === 22 ? "22 characters" : value;
    case "host":
      return value === "127.0.0.1" ? "loopback" : value;
    case "port":
      return Number(value) > 0 ? "its port" : value;
    case "errorMessage":
    case "batchIndexErrorMessage":
    case "documentation":
      return value === null || value === "" ? value : "words";
    case "value":
      return typeof value === "string" ? value.replace(OWN_ADDRESS, "$1its port") : value;
    case "logAppendTimeMs":
      return Number(value) >= 0 ? "a time" : value;
    case "producerId":
      return Number(value) >= 0 ? "an id" : value;
    case "sessionId":
      return Number(value) > 0 ? "a session" : value;
    case "leaderEpoch":
      return identities.epochToken(Number(value));
    case "memberId":
    case "leader":
      return typeof value === "string" ? identities.memberToken(value) : value;
    default:
      return value;
  }
}

/** Batches as a consumer would see them. */
function batches(bytes: Uint8Array, identities: Identities): Plain {
  if (bytes.length === 0) return "no records";
  return wholeBatches(bytes).map((batch) => {
    const { crc, producerId, leaderEpoch, ...header } = readBatchHeader(viewOf(batch));
    const stamped = (header.attributes & LOG_APPEND_TIME_BIT) !== 0;
    return {
      ...header,
      ...(stamped ? { maxTimestampMs: "a time" } : {}),
      crc: batchCrc(viewOf(batch)) === crc ? "right" : "wrong",
      producerId: producerId >= 0 ? "an id" : producerId,
      leaderEpoch: identities.epochToken(leaderEpoch),
      records: Buffer.from(batch.subarray(BATCH_HEADER_BYTES)).toString("hex").slice(0, 256),
    };
  });
}

/** What is cut off at the end, as Kafka may do, is no batch: every consumer leaves it out. */
function wholeBatches(bytes: Uint8Array): readonly Uint8Array[] {
  const view = viewOf(bytes);
  const found: Uint8Array[] = [];
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length;) {
    const end = at + readBatchBytes(view, at);
    if (end > bytes.length) break;
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

function inOrder(elements: readonly Plain[]): readonly Plain[] {
  const keyOf = (element: Plain): string => {
    if (element === null || typeof element !== "object" || Array.isArray(element)) return "";
    const struct = element as { readonly [name: string]: Plain };
    const names = ORDER_FIELDS.flatMap((name) => (name in struct ? [sortable(struct[name])] : []));
    return JSON.stringify([names, element]);
  };
  if (elements.every((element) => keyOf(element) === "")) return elements;
  return elements
    .map((element) => ({ element, key: keyOf(element) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ element }) => element);
}

function sortable(value: Plain | undefined): Plain {
  return typeof value === "number" ? String(value).padStart(12, "0") : (value ?? null);
}

function isStruct(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}
