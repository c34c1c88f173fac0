import { produceApi, type ProduceResponse } from "@karst/kafka-protocol";
import { type BatchOptions, encodeBatch, type RecordInput } from "@karst/records";
import { utf8Encode } from "@karst/runtime";
import type { Both } from "./pair.ts";
import type { Run } from "./scenario.ts";

/** A time in the past: later than a retention of days would allow, were it judged by its age. */
export const FIRST_TIMESTAMP_MS: number = Date.now() - 3_600_000;

const APPEND_VERSION = 8;

/** A batch with one record per delay, in milliseconds since `FIRST_TIMESTAMP_MS`. */
export function batch(delays: readonly number[], options: BatchOptions = {}): Uint8Array {
  return encodeBatch(delays.map(recordAfter), options);
}

function recordAfter(delay: number, index: number): RecordInput {
  return {
    timestampMs: FIRST_TIMESTAMP_MS + delay,
    key: index % 2 === 0 ? utf8Encode(`key ${index}`) : null,
    value: utf8Encode(`value after ${delay}`),
    headers: index === 0 ? [{ key: "delay", value: utf8Encode(String(delay)) }] : [],
  };
}

/** A batch of both that must be taken; not counted. @returns what each answered for the partition. */
export async function append(
  run: Run,
  topic: string,
  partition: number,
  records: Uint8Array,
): Promise<Both<ProduceResponse>> {
  const answers = await run.pair.call(
    "append",
    produceApi,
    APPEND_VERSION,
    {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    },
    { uncounted: true },
  );
  const taken = (answer: ProduceResponse | undefined): ProduceResponse => {
    const code = answer?.responses[0]?.partitionResponses[0]?.errorCode;
    if (answer === undefined || code !== 0)
      throw new Error(`appending to ${topic}/${partition} failed: ${code}`);
    return answer;
  };
  return { kafka: taken(answers.kafka), karst: taken(answers.karst) };
}
