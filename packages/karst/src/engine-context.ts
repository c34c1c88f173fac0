import { coreError, type Limits, type Topic, type Topics } from "@karst/core";
import { hasCode, type Runtime } from "@karst/runtime";
import type { CreateOptions } from "./api/topic.ts";
import { karstError } from "./errors.ts";
import { PREPARE_TRIES_MAX } from "./limits.ts";

/**
 * What the handles of one engine share.
 *
 * Invariant: after `end`, nothing new begins; `idle` settles once nothing that began before is still under way.
 */
export class EngineContext {
  readonly topics: Topics;
  readonly runtime: Runtime;
  readonly limits: Limits;
  #ended = false;
  #busy = 0;
  #whenIdle: (() => void)[] = [];

  constructor(parts: {
    readonly topics: Topics;
    readonly runtime: Runtime;
    readonly limits: Limits;
  }) {
    this.topics = parts.topics;
    this.runtime = parts.runtime;
    this.limits = parts.limits;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @throws KarstError `ENGINE_CLOSED` (`closed`). */
  check(): void {
    if (this.#ended) throw coreError("ENGINE_CLOSED", "the engine is closed");
  }

  end(): void {
    this.#ended = true;
  }

  /** Something is under way until the returned function is called. */
  begin(): () => void {
    this.#busy += 1;
    return this.#done;
  }

  readonly #done = (): void => {
    this.#busy -= 1;
    if (this.#busy > 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  };

  idle(): Promise<void> {
    return this.#busy === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#whenIdle.push(resolve);
        });
  }

  /** @throws KarstError `TOPIC_NOT_FOUND` (`not_found`). */
  topic(name: string): Topic {
    const topic = this.topics.byName(name);
    if (topic === undefined) throw coreError("TOPIC_NOT_FOUND", `there is no topic "${name}"`);
    return topic;
  }

  /** The topic, created if it is missing. @throws KarstError as `Topics.create`, but `TOPIC_NOT_READY` for an unknown outcome. */
  async topicOrCreate(name: string, options: CreateOptions): Promise<Topic> {
    let cause: unknown;
    for (let tries = 0; tries < PREPARE_TRIES_MAX; tries += 1) {
      const existing = this.topics.byName(name);
      if (existing !== undefined) return existing;
      try {
        return await this.topics.create({
          name,
          partitions: options.partitions ?? 1,
          ...(options.configs === undefined ? {} : { configs: options.configs }),
        });
      } catch (error) {
        // Somebody else was faster, or the answer was lost: the next look tells.
        const lost = hasCode(error, "COMMIT_UNKNOWN");
        const exists = hasCode(error, "TOPIC_EXISTS") && this.topics.byName(name) !== undefined;
        if (!lost && !exists) throw error;
        cause = error;
      }
    }
    throw karstError("TOPIC_NOT_READY", `topic "${name}" could not be created yet`, cause);
  }
}
