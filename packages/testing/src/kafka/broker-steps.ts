import { noFaults } from "@karst/objectstore";
import { isKarstError } from "@karst/runtime";
import type { Ending } from "../world/machine.ts";
import type { StepOf } from "../world/story.ts";
import { lossyConnection } from "../world/unreliable-connection.ts";
import type { BrokerRun } from "./broker-run.ts";
import { WAL_DIRECTORY } from "./limits.ts";

/** What can happen to any broker, whoever its clients are. */
type Step = StepOf<BrokerRun>;

export function pass(ms: number): Step {
  return ({ world }) => world.clock.advance(ms);
}

/** Nothing but what takes no time. */
export const turn: Step = ({ world }) => world.clock.runDeferred();

export const start: Step = async (run) => {
  await run.live();
};

export const close: Step = (run) => run.close();

export function crash(ending: Ending): Step {
  return async ({ machine }) => machine.crash(ending);
}

export function crashAfter(calls: number, ending: Ending): Step {
  return async ({ machine }) => machine.crashAfter(calls, ending);
}

/** Connections are cut: one, or all. */
export function cut(which: number | "all"): Step {
  return async (run) => {
    run.world.faulted("cut");
    const { connections } = run;
    if (which === "all") run.net.cut();
    else connections[which % Math.max(connections.length, 1)]?.cut();
  };
}

/** A connection is cut when so many bytes more have come: to the broker, or to one client. */
export function cutInside(bytes: number, client: number | "broker"): Step {
  return async (run) => {
    run.world.faulted("cut inside");
    if (client === "broker") run.cutAfter(bytes);
    else run.connections[client % Math.max(run.connections.length, 1)]?.cut(bytes);
  };
}

/** A client does not read for a while. */
export function stall(client: number, ms: number): Step {
  return async (run) => {
    run.connections[client % Math.max(run.connections.length, 1)]?.stall(ms);
  };
}

export const upload: Step = async (run) => {
  const process = await run.live();
  const outcome = await run.world.until(process.life, process.engine.upload());
  if (outcome.tag === "failed") tolerate(outcome.error);
};

/** The object store cannot be reached, or can be again. */
export function outage(down: boolean): Step {
  return async ({ world, machine }) => {
    if (world.faulty === undefined) machine.breakStore(down);
    else if (down) world.faulty.down();
    else world.faulty.up();
  };
}

/** Requests to the store, and its answers, get lost, or come late. */
export function unreliable(on: boolean): Step {
  return async ({ world }) => {
    world.faulty?.setPlan(on ? lossyConnection : noFaults);
  };
}

/** One of the next syncs of the WAL fails. */
export function failSync(effect: "lost-sync" | "EIO", after: number): Step {
  return async ({ world, machine: { disk } }) => {
    world.faulted(`sync ${effect}`);
    disk.fault({ on: "datasync", path: (path) => path.startsWith(WAL_DIRECTORY), effect, after });
  };
}

/** No file can grow, or all can again. */
export function fill(full: boolean): Step {
  return async ({ world, machine: { disk } }) => {
    if (full) world.faulted("disk full");
    disk.capacityBytes = full ? disk.usedBytes : Infinity;
  };
}

export function skew(ms: number): Step {
  return async ({ world }) => world.skewWall(ms);
}

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

/** A producer begins anew, with another id. */
export function renew(producer: number): Step {
  return async (run) => run.producers[producer % run.producers.length]?.renew();
}

/** A topic is deleted, and another of its name made. */
export function recreate(topic: string, partitions: number): Step {
  return async (run) => run.recreate(topic, partitions);
}

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

/** Whatever else something rejects with is a defect. */
export function tolerate(error: unknown): void {
  if (!isKarstError(error, "unavailable", "indeterminate", "closed", "fenced", "not_found"))
    throw error as Error;
}
