import { coreError } from "../errors.ts";
import {
  TOPIC_CONFIGS,
  type TopicConfigDefinition,
  type TopicConfigKind,
} from "./topic-config-table.ts";
import type { TopicConfigs } from "./topics.ts";

const INT_MAX = 0x7fff_ffffn;
const LONG_MAX = 0x7fff_ffff_ffff_ffffn;

/** The configurations that the engine itself acts upon. Times and sizes of 2⁵³ and more mean without bound: Infinity. */
export interface TopicSettings {
  /** Largest batch as received. */
  readonly maxMessageBytes: number;
  readonly timestampType: "CreateTime" | "LogAppendTime";
  /** How far a record's time may lie before the append … */
  readonly timestampBeforeMaxMs: number;
  /** … and after it. */
  readonly timestampAfterMaxMs: number;
  readonly cleanupPolicy: readonly ("delete" | "compact")[];
  /** Infinity: for ever. */
  readonly retentionMs: number;
  /** Per partition. Infinity: without bound. */
  readonly retentionBytes: number;
}

/** What holds for a topic with these configurations, defaults included. They have been validated. */
export function topicSettings(configs: TopicConfigs): TopicSettings {
  const text = (name: string): string =>
    configs[name] ?? (TOPIC_CONFIGS[name] as TopicConfigDefinition).default;
  return {
    maxMessageBytes: boundOf(text("max.message.bytes")),
    timestampType: text("message.timestamp.type") as TopicSettings["timestampType"],
    timestampBeforeMaxMs: boundOf(text("message.timestamp.before.max.ms")),
    timestampAfterMaxMs: boundOf(text("message.timestamp.after.max.ms")),
    cleanupPolicy: listOf(text("cleanup.policy")) as TopicSettings["cleanupPolicy"],
    retentionMs: boundOf(text("retention.ms")),
    retentionBytes: boundOf(text("retention.bytes")),
  };
}

/**
 * Checks every name and value.
 *
 * @param batchBytesMax what `max.message.bytes` cannot exceed here.
 * @throws KarstError `INVALID_CONFIG` (`invalid`), naming the configuration.
 */
export function validateTopicConfigs(configs: TopicConfigs, batchBytesMax: number): void {
  for (const [name, value] of Object.entries(configs)) {
    const definition = Object.hasOwn(TOPIC_CONFIGS, name) ? TOPIC_CONFIGS[name] : undefined;
    if (definition === undefined)
      throw coreError("INVALID_CONFIG", `unknown topic configuration ${name}`);
    const expected = mismatch(definition.kind, value);
    if (expected !== undefined) throw invalid(name, value, `must be ${expected}`);
    if (definition.unsupported?.includes(value) === true)
      throw invalid(name, value, "is not supported");
  }
  const bytes = configs["max.message.bytes"];
  if (bytes !== undefined && Number(bytes) > batchBytesMax) {
    throw invalid(
      "max.message.bytes",
      bytes,
      `is above the engine's largest batch, ${batchBytesMax}`,
    );
  }
}

/** What the value should have been; undefined: it is. */
function mismatch(kind: TopicConfigKind, value: string): string | undefined {
  switch (kind.tag) {
    case "boolean":
      return value === "true" || value === "false" ? undefined : "true or false";
    case "choice":
      return kind.of.includes(value) ? undefined : `one of ${kind.of.join(", ")}`;
    case "list":
      return kind.of === "anything" || isListOf(kind.of, value)
        ? undefined
        : `a list of ${kind.of.join(", ")}`;
    case "int":
      return isInteger(value, kind.min, INT_MAX)
        ? undefined
        : `an integer from ${kind.min} to ${INT_MAX}`;
    case "long":
      return isInteger(value, kind.min, LONG_MAX)
        ? undefined
        : `an integer from ${kind.min} to ${LONG_MAX}`;
    case "double":
      return isDecimal(value, kind.min, kind.max)
        ? undefined
        : `a number from ${kind.min} to ${kind.max}`;
  }
}

function isListOf(allowed: readonly string[], value: string): boolean {
  const items = listOf(value);
  return items.length > 0 && items.every((item) => allowed.includes(item));
}

function listOf(value: string): string[] {
  return value === "" ? [] : value.split(",").map((item) => item.trim());
}

function isInteger(value: string, min: number, max: bigint): boolean {
  return /^-?[0-9]{1,19}$/.test(value) && BigInt(value) >= BigInt(min) && BigInt(value) <= max;
}

function isDecimal(value: string, min: number, max: number): boolean {
  return /^[0-9]*\.?[0-9]+$/.test(value) && Number(value) >= min && Number(value) <= max;
}

/** A bound: negative and unrepresentable ones are none. */
function boundOf(value: string): number {
  const bound = Number(value);
  return bound < 0 || !Number.isSafeInteger(bound) ? Infinity : bound;
}

function invalid(name: string, value: string, why: string): Error {
  return coreError("INVALID_CONFIG", `${name}=${value} ${why}`);
}
