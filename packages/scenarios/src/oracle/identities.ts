import { ZERO_UUID } from "@karst/kafka-protocol";

const ENDS_WITH_UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What one broker calls the things that each broker names for itself: ids of topics and members, leader epochs. Brokers are
 * asked the same things in the same order, so that the n-th name of one stands for the n-th of the other.
 */
export class Identities {
  readonly #topicNames = new Map<string, string>();
  readonly #topicIds = new Map<string, string>();
  readonly #members = new Map<string, string>();
  #epochBase: number | undefined;

  learnTopic(name: string, topicId: string): void {
    if (topicId === ZERO_UUID) return;
    this.#topicNames.set(topicId, name);
    this.#topicIds.set(name, topicId);
  }

  /** The newest id of the topic of that name. @throws Error where no answer has told it. */
  topicId(name: string): string {
    const id = this.#topicIds.get(name);
    if (id === undefined) throw new Error(`the id of topic ${name} is not known`);
    return id;
  }

  topicToken(topicId: string): string {
    if (topicId === ZERO_UUID) return "no id";
    const name = this.#topicNames.get(topicId);
    return name === undefined ? topicId : `id of ${name}`;
  }

  /** Epochs count from that of a partition that has just been made. */
  learnEpochBase(epoch: number): void {
    this.#epochBase ??= epoch;
  }

  /** The broker's own number of an epoch that counts from the first; below -1, "no epoch", it is as given. */
  epoch(relative: number): number {
    return relative < 0 ? relative : relative + (this.#epochBase ?? 0);
  }

  epochToken(epoch: number): number {
    return epoch < 0 ? epoch : epoch - (this.#epochBase ?? 0);
  }

  /** Ids that the broker has minted become `member 1`, `member 2`, …; others stay. */
  memberToken(memberId: string): string {
    if (!ENDS_WITH_UUID.test(memberId)) return memberId;
    let token = this.#members.get(memberId);
    if (token === undefined) {
      token = `${memberId.replace(ENDS_WITH_UUID, "")}member ${this.#members.size + 1}`;
      this.#members.set(memberId, token);
    }
    return token;
  }
}
