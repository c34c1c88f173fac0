import { Consumer, stringDeserializers } from "@platformatic/kafka";
import { setTimeout as delay } from "node:timers/promises";
import type { MemberLife } from "./group-book.ts";
import type { GroupMember, MemberOptions } from "./member.ts";

const RETRY_MS = 200;

/** @platformatic/kafka. Where its stream ends with an error, as it does when the broker dies, a new instance goes on. */
export function platformaticMember(options: MemberOptions): Promise<GroupMember> {
  return Promise.resolve(new PlatformaticMember(options));
}

class PlatformaticMember implements GroupMember {
  readonly #options: MemberOptions;
  readonly #ended: Promise<void>;
  #stopping = false;
  #stopInstance: () => Promise<void> = () => Promise.resolve();
  life: MemberLife;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.life = options.book.begin(options.name);
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#stopInstance();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let instance = 1; !this.#stopping; instance += 1) {
      this.life = this.#options.book.begin(`${this.#options.name}.${instance}`);
      try {
        await this.#consume(this.life);
      } catch {
        await delay(RETRY_MS);
      }
    }
  }

  async #consume(life: MemberLife): Promise<void> {
    const { bootstrap, groupId, topic } = this.#options;
    const consumer = new Consumer({
      clientId: life.name,
      groupId,
      bootstrapBrokers: [bootstrap],
      deserializers: stringDeserializers,
      autocommit: false,
      sessionTimeout: 10_000,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 300,
      maxWaitTime: 200,
      highWaterMark: 16,
      connectTimeout: 2_000,
      retries: 3,
      retryDelay: RETRY_MS,
    });
    // The broker may be dead: then the session ends by itself.
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        consumer.close(true, () => resolve());
      });
    this.#stopInstance = close;
    try {
      const stream = await consumer.consume({
        topics: [topic],
        mode: "committed",
        fallbackMode: "earliest",
      });
      for await (const message of stream) {
        if (this.#stopping) break;
        const { partition } = message;
        const offset = Number(message.offset);
        life.deliver(partition, offset, message.value);
        life.committing(partition, offset + 1);
        await message.commit();
        life.committed(partition, offset + 1);
      }
    } finally {
      await close();
    }
  }
}
