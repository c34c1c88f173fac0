import type { StepOf } from "../world/story.ts";
import { tolerate } from "./broker-steps.ts";
import type { Hostility } from "./hostile.ts";
import type { KafkaRun } from "./kafka-run.ts";

type Step = StepOf<KafkaRun>;

/** Batches for a producer to send. */
export interface Load {
  readonly times: number;
  readonly count: number;
  readonly recordBytes: number;
}

/** The greatest batch is smaller than the topics allow. */
export function produce(producer: number, topic: string, partition: number, load: Load): Step {
  return async (run) => {
    const sender = run.producers[producer % run.producers.length];
    const partitions = run.topic(topic)?.partitions ?? [];
    if (sender === undefined || partitions.length === 0) return;
    for (let i = 0; i < load.times; i += 1) {
      // Side by side, so that requests have several.
      const to = partitions[(partition + i) % partitions.length];
      if (to !== undefined) sender.queue(to, load);
    }
  };
}

export function hostile(what: Hostility): Step {
  return async (run) => {
    run.world.faulted(`hostile ${what}`);
    run.attack(what);
  };
}

/** A topic is deleted, and another of its name made. */
export function recreate(topic: string, partitions: number): Step {
  return async (run) => run.recreate(topic, partitions);
}

/** A producer begins anew, with another id. */
export function renew(producer: number): Step {
  return async (run) => run.producers[producer % run.producers.length]?.renew();
}

export const list: Step = async (run) => {
  run.admin.list().catch((error: unknown) => run.failed(error));
};

/** The start of a partition moves, as by retention. */
export function trim(topic: string, partition: number, where: number): Step {
  return async (run) => {
    const process = await run.live();
    const partitions = run.topic(topic)?.partitions ?? [];
    const model = partitions[partition % Math.max(partitions.length, 1)];
    if (model?.topic.topicId === undefined) return;
    const trimming = process.topics.partition(model.topic.topicId, model.index).then((log) => {
      const before =
        log.logStartOffset + Math.floor(where * (log.highWatermark - log.logStartOffset));
      model.trimAsked = Math.max(model.trimAsked, before);
      return log.trim(before);
    });
    const outcome = await run.world.until(process.life, trimming);
    if (outcome.tag === "failed") tolerate(outcome.error);
    if (outcome.tag === "ok") run.world.sometimes.add("trim");
  };
}
