import { partitionForKey } from "@karst/records";
import { type Random, randomInteger } from "@karst/runtime";
import { karstError } from "../errors.ts";
import { STICKY_BYTES } from "../limits.ts";
import type { Submission } from "./submission.ts";

/** The partition that the keys of a submission name as Kafka's clients do; undefined: it has no keys. */
export function partitionOfKeys(submission: Submission, partitions: number): number | undefined {
  let chosen: number | undefined;
  for (const { key } of submission.records) {
    if (key == null) continue;
    const partition = partitionForKey(key, partitions);
    if (chosen !== undefined && chosen !== partition) {
      throw karstError(
        "KEYS_DISAGREE",
        `the keys of one batch belong to partitions ${chosen} and ${partition}: append them apart, or name a partition`,
      );
    }
    chosen = partition;
  }
  return chosen;
}

/** Where records without keys go: to one partition until it got some bytes, then to another, as Kafka's clients do (KIP-794). */
export class StickyPartition {
  readonly #random: Random;
  #partition: number | undefined;
  #bytes = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  choose(bytes: number, partitions: number): number {
    let partition = this.#partition;
    if (partition === undefined || partition >= partitions || this.#bytes >= STICKY_BYTES) {
      partition = this.#another(partition, partitions);
      this.#bytes = 0;
    }
    this.#partition = partition;
    this.#bytes += bytes;
    return partition;
  }

  #another(previous: number | undefined, partitions: number): number {
    if (partitions === 1) return 0;
    if (previous === undefined || previous >= partitions) {
      return randomInteger(this.#random, 0, partitions - 1);
    }
    const step = randomInteger(this.#random, 1, partitions - 1);
    return (previous + step) % partitions;
  }
}
