import type { OffsetRegister, RegisterWrite } from "../checkers/offset-register.ts";
import type { TopicModel } from "../kafka/topic-model.ts";
import type { Asking } from "./membership.ts";

/** What became of a change. `unknown`: it may have happened, or may yet. */
export type Fate = "done" | "refused" | "unknown";

/**
 * One change of a group's offsets, in every register that it may reach.
 *
 * Invariant: as long as it `isOpen`, it may take effect later; where it names its topic, also on the next one of that name.
 */
export class PendingWrite {
  readonly value: number | undefined;
  readonly #asking: Asking;
  readonly #named: TopicModel | undefined;
  readonly #lane: number | undefined;
  readonly #writes: RegisterWrite[] = [];
  #fate: Fate = "unknown";
  #doneAt = Infinity;

  /** @param options `named`: the topic that the request knows by its name alone. `lane`: the connection. */
  constructor(
    value: number | undefined,
    asking: Asking,
    options: { readonly named?: TopicModel | undefined; readonly lane?: number } = {},
  ) {
    this.value = value;
    this.#asking = asking;
    this.#named = options.named;
    this.#lane = options.lane;
  }

  get isOpen(): boolean {
    return this.#fate === "unknown";
  }

  /** Whether it may yet change, or have changed, an offset of this topic in place of the one that it was meant for. */
  mayReach(topic: TopicModel): boolean {
    const named = this.#named;
    if (named === undefined || !this.isOpen) return false;
    return named.name === topic.name && named.generation < topic.generation;
  }

  addTo(register: OffsetRegister): void {
    const { sentAt, sentMs } = this.#asking;
    const write = register.write(this.value, sentAt, sentMs, this.#lane);
    write.doneAt = this.#doneAt;
    write.refused = this.#fate === "refused";
    this.#writes.push(write);
  }

  /** Sent before `before`, and not heard of again: it has had its effect by now, or never will. */
  over(before: number, now: number): void {
    if (!this.isOpen || this.#asking.sentAt >= before) return;
    for (const write of this.#writes) write.latestAt = now;
  }

  /** It must never have an effect, whatever is answered. */
  forbid(): void {
    for (const write of this.#writes) write.refused = true;
  }

  settled(fate: Fate, doneAt: number): void {
    // It may be that the next topic of that name has it.
    if (fate === "done" && this.#named?.isLive === false) return;
    this.#fate = fate;
    if (fate === "refused") this.forbid();
    if (fate !== "done") return;
    this.#doneAt = doneAt;
    for (const write of this.#writes) write.doneAt = doneAt;
  }
}
