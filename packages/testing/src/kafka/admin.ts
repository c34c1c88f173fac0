import {
  createTopicsApi,
  deleteTopicsApi,
  ErrorCode,
  metadataApi,
  ZERO_UUID,
} from "@karst/kafka-protocol";
import { randomInteger } from "@karst/runtime";
import type { SeededRandom } from "@karst/runtime/testing";
import { isRefusal, isUnknown, isUnknownTopic, Link, type Site } from "./site.ts";
import type { TopicModel } from "./topic-model.ts";

const FIRST_METADATA_WITH_TOPIC_IDS = 10;
const FIRST_CREATE_WITH_TOPIC_ID = 7;
const FIRST_DELETE_WITH_IDS = 6;

/** A client that creates, describes and deletes topics, each time until it is done. */
export class Admin {
  readonly #site: Site;
  readonly #random: SeededRandom;
  readonly #link: Link;
  readonly #createVersion: number;
  readonly #deleteVersion: number;

  constructor(site: Site, random: SeededRandom) {
    this.#site = site;
    this.#random = random;
    this.#link = new Link(site, random);
    this.#createVersion = randomInteger(random, 2, 7);
    this.#deleteVersion = randomInteger(random, 1, 6);
  }

  /** Makes a topic, and learns its id. */
  async create(topic: TopicModel): Promise<void> {
    let mayExist = false;
    for (;;) {
      const connection = await this.#link.connected();
      const answer = await connection.request(createTopicsApi, this.#createVersion, {
        topics: [
          {
            name: topic.name,
            numPartitions: topic.partitions.length,
            replicationFactor: 1,
            assignments: [],
            configs: [],
          },
        ],
        timeoutMs: 5_000,
        validateOnly: false,
      });
      if (answer.tag === "lost") {
        mayExist = true;
        continue;
      }
      const [created] = answer.response.topics;
      if (created?.name !== topic.name) throw new Error(`an answer about ${created?.name}`);
      this.#site.world.tally.checked += 1;
      if (created.errorCode === ErrorCode.NONE) {
        if (this.#createVersion >= FIRST_CREATE_WITH_TOPIC_ID) topic.topicId = created.topicId;
        break;
      }
      if (created.errorCode === ErrorCode.TOPIC_ALREADY_EXISTS && mayExist) break;
      mayExist ||= isUnknown(created.errorCode);
      if (!isRefusal(created.errorCode) && !isUnknown(created.errorCode))
        throw new Error(`CreateTopics of ${topic.name}: error ${created.errorCode}`);
      await this.#link.pause();
    }
    await this.describe(topic);
    this.#site.ledger.gotTopicId(topic.topicId ?? "");
    topic.state = "live";
  }

  /** Asks for a topic that exists, until there is an answer. */
  async describe(topic: TopicModel): Promise<void> {
    for (;;) {
      const connection = await this.#link.connected();
      const byId = topic.topicId !== undefined && randomInteger(this.#random, 0, 2) === 0;
      const version = randomInteger(this.#random, byId ? 12 : FIRST_METADATA_WITH_TOPIC_IDS, 13);
      const answer = await connection.request(metadataApi, version, {
        topics: [
          byId
            ? { topicId: topic.topicId ?? "", name: null }
            : { name: topic.name, topicId: ZERO_UUID },
        ],
        allowAutoTopicCreation: true,
      });
      if (answer.tag === "lost") continue;
      const [described] = answer.response.topics;
      this.#site.world.tally.checked += 1;
      if (described === undefined || described.errorCode !== ErrorCode.NONE)
        throw new Error(`Metadata of ${topic.name}: error ${described?.errorCode}`);
      const { topicId, name, partitions } = described;
      topic.topicId ??= topicId;
      if (
        name !== topic.name ||
        topicId !== topic.topicId ||
        partitions.length !== topic.partitions.length
      )
        throw new Error(
          `${topic.name}, ${topic.topicId} is said to be ${name}, ${topicId} with ${partitions.length} partitions`,
        );
      return;
    }
  }

  /** Lists everything, in any version: topics that are known to exist are there, and nothing that is known to be gone. */
  async list(): Promise<void> {
    const connection = await this.#link.connected();
    const version = randomInteger(this.#random, 0, 13);
    const { world } = this.#site;
    const names = ["t0", "t1"];
    const before = names.map((name) => this.#site.topic(name));
    const answer = await connection.request(metadataApi, version, {
      topics: version === 0 ? [] : null,
    });
    if (answer.tag === "lost") return;
    world.tally.checked += 1;
    for (const [i, name] of names.entries()) {
      const topic = before[i];
      const found = answer.response.topics.find((one) => one.name === name);
      if (topic === undefined || topic !== this.#site.topic(name)) continue;
      if (found?.partitions.length !== topic.partitions.length)
        throw new Error(`Metadata lists ${name} with ${found?.partitions.length} partitions`);
    }
  }

  /** Deletes a topic for good. */
  async remove(topic: TopicModel): Promise<void> {
    topic.state = "deleting";
    let mayBeGone = false;
    for (;;) {
      const connection = await this.#link.connected();
      const byId = this.#deleteVersion >= FIRST_DELETE_WITH_IDS;
      const answer = await connection.request(deleteTopicsApi, this.#deleteVersion, {
        topics: byId ? [{ name: null, topicId: topic.topicId ?? "" }] : [],
        topicNames: byId ? [] : [topic.name],
        timeoutMs: 5_000,
      });
      if (answer.tag === "lost") {
        mayBeGone = true;
        continue;
      }
      const errorCode = answer.response.responses[0]?.errorCode ?? -1;
      this.#site.world.tally.checked += 1;
      if (errorCode === ErrorCode.NONE || (isUnknownTopic(errorCode) && mayBeGone)) break;
      mayBeGone ||= isUnknown(errorCode);
      if (!isRefusal(errorCode) && !isUnknown(errorCode))
        throw new Error(`DeleteTopics of ${topic.name}: error ${errorCode}`);
      await this.#link.pause();
    }
    topic.state = "gone";
  }
}
