import { ErrorCode } from "@karst/kafka-protocol";
import type { Ticket } from "./group.ts";
import type { GroupEffect } from "./group-event.ts";

/** An effect that answers a request. */
export type AnswerEffect = Extract<GroupEffect, { ticket: Ticket }>;

/** Calls back when the connection of a request is gone; returns the unsubscriber. */
export type OnClosed = (listener: () => void) => () => void;

interface Waiting {
  readonly answer: (effect: AnswerEffect) => void;
  /** Does not want to hear any more that the connection is gone. */
  unsubscribe: () => void;
}

/** Requests to groups that are not answered. Invariant: each is answered once, by whatever comes first. */
export class WaitingRequests {
  readonly #waiting = new Map<Ticket, Waiting>();
  #ticket: Ticket = 0;

  open<Answer>(answerOf: (effect: AnswerEffect) => Answer): {
    readonly ticket: Ticket;
    readonly answer: Promise<Answer>;
  } {
    const ticket = (this.#ticket += 1);
    const answer = new Promise<Answer>((resolve) => {
      this.#waiting.set(ticket, {
        answer: (effect) => resolve(answerOf(effect)),
        unsubscribe: () => undefined,
      });
    });
    return { ticket, answer };
  }

  /** Calls back where the connection is gone while it waits still. */
  whenAbandoned(ticket: Ticket, onClosed: OnClosed, listener: () => void): void {
    const waiting = this.#waiting.get(ticket);
    if (waiting !== undefined) waiting.unsubscribe = onClosed(listener);
  }

  answer(effect: AnswerEffect): void {
    const waiting = this.#waiting.get(effect.ticket);
    this.#waiting.delete(effect.ticket);
    waiting?.unsubscribe();
    waiting?.answer(effect);
  }

  /** Answers when what the answer rests on is durable; undefined: it is. */
  answerWhen(effect: AnswerEffect, durable: Promise<void> | undefined): void {
    if (durable === undefined) {
      this.answer(effect);
      return;
    }
    durable.then(
      () => this.answer(effect),
      () => this.refuse(effect.ticket, ErrorCode.NOT_COORDINATOR),
    );
  }

  refuse(ticket: Ticket, errorCode: number): void {
    this.answer({ tag: "answered", ticket, errorCode });
  }

  refuseAll(errorCode: number): void {
    for (const ticket of this.#waiting.keys()) this.refuse(ticket, errorCode);
  }
}

export function errorCodeOf(effect: AnswerEffect): number {
  return effect.tag === "answered" ? effect.errorCode : effect.answer.errorCode;
}
