import { randomInteger } from "@karst/runtime";
import type { Random } from "@karst/runtime";
import { LogModel } from "../log/log-model.ts";
import { ProducerModel } from "../log/producer-model.ts";
import type { Invariants } from "../world/invariants.ts";
import type { Node } from "./node.ts";

/** A topic as the catalogue has, or had, it. */
export interface KnownTopic {
  readonly topicId: string;
  readonly name: string;
  readonly logs: readonly ClusterLog[];
  /** `deleting`: somebody asked for it, and it may happen at any time. */
  state: "there" | "deleting" | "deleted";
}

/** One partition: whoever has it, what must be in it, and the clients that write and read it wherever it is. */
export class ClusterLog {
  readonly topic: KnownTopic;
  readonly index: number;
  readonly streamId: number;
  readonly model: LogModel;
  readonly producer: ProducerModel;
  /** The process that opened it last. */
  holder: Node | undefined;
  /** How far the consumer is. */
  position = 0;

  constructor(
    topic: KnownTopic,
    index: number,
    parts: {
      readonly streamId: number;
      readonly producerId: number;
      readonly invariants: Invariants;
      readonly random: Random;
    },
  ) {
    const { streamId, producerId, invariants, random } = parts;
    this.topic = topic;
    this.index = index;
    this.streamId = streamId;
    this.model = new LogModel(`${topic.name}/${index}#${streamId}`, false, invariants);
    // Some sequences wrap.
    const firstSequence = randomInteger(random, 0, 3) === 0 ? 0x7fff_fffa : 0;
    const { model: log } = this;
    this.producer = new ProducerModel({ id: producerId, log, firstSequence, invariants });
  }
}
