import type { Catalogue, Revision } from "../catalogue/catalogue.ts";
import { type CounterName, counterRow } from "../catalogue/rows/counter-row.ts";
import { streamEndRow } from "../catalogue/rows/stream-end-row.ts";
import { streamOwnerRow } from "../catalogue/rows/stream-owner-row.ts";
import { streamStartRow } from "../catalogue/rows/stream-start-row.ts";
import { topicRow } from "../catalogue/rows/topic-row.ts";
import type { Change } from "./commit-change.ts";
import type { IndexedTopic } from "./topic-index.ts";
import type { CreateTopicOptions } from "./topics.ts";

/** A change of the set of topics. `before`: the revision of the counter `topics` that it requires. */
export interface TopicChange extends Change {
  readonly before: Revision | undefined;
}

/** Taking `count` numbers of a counter. */
export interface CounterChange extends Change {
  readonly first: number;
  readonly before: Revision | undefined;
}

/** One commit that takes numbers and does nothing else. */
export function takeNumbers(catalogue: Catalogue, name: CounterName, count: number): CounterChange {
  const row = counterRow.get(catalogue, name);
  const first = row?.value.next ?? 0;
  return {
    first,
    before: row?.revision,
    require: [counterRow.unchanged(name, row)],
    put: [counterRow.put(name, { next: first + count })],
    delete: [],
  };
}

/** One commit: the counters of topics and streams, the topic, and its empty, unowned streams. */
export function creation(
  catalogue: Catalogue,
  topicId: string,
  options: CreateTopicOptions,
  createdMs: number,
): TopicChange {
  const topics = takeNumbers(catalogue, "topics", 1);
  const minted = takeNumbers(catalogue, "streams", options.partitions);
  const streams = Array.from({ length: options.partitions }, (_, i) => minted.first + i);
  const configs = new Map(Object.entries(options.configs ?? {}));
  return {
    before: topics.before,
    require: [...topics.require, ...minted.require, topicRow.unchanged(topicId, undefined)],
    put: [
      ...topics.put,
      ...minted.put,
      topicRow.put(topicId, { name: options.name, partitions: streams, configs, createdMs }),
      ...streams.flatMap((streamId) => [
        streamStartRow.put(streamId, { offset: 0, deadBefore: 0 }),
        streamEndRow.put(streamId, { offset: 0, stateObject: undefined }),
        streamOwnerRow.put(streamId, { nodeId: undefined, streamEpoch: 0 }),
      ]),
    ],
    delete: [],
  };
}

/** One commit: the counter of topics is raised, the topic and its streams are gone. Their objects are for garbage collection. */
export function deletion(
  catalogue: Catalogue,
  { topic, streams, revision }: IndexedTopic,
): TopicChange {
  const topics = takeNumbers(catalogue, "topics", 1);
  const key = topicRow.key(topic.topicId);
  return {
    before: topics.before,
    require: [...topics.require, { key, revision }],
    put: topics.put,
    delete: [
      key,
      ...streams.flatMap((streamId) => [
        streamStartRow.key(streamId),
        streamEndRow.key(streamId),
        streamOwnerRow.key(streamId),
      ]),
    ],
  };
}
