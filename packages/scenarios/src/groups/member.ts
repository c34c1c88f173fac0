import type { GroupBook, MemberLife } from "./group-book.ts";

export interface MemberOptions {
  readonly name: string;
  readonly bootstrap: string;
  readonly groupId: string;
  readonly topic: string;
  readonly book: GroupBook;
}

/** A running member of a group that commits what it was given, record by record or a few at a time. */
export interface GroupMember {
  /** Of its newest instance. */
  readonly life: MemberLife;
  /** Leaves the group. */
  stop(): Promise<void>;
}

export type MemberFactory = (options: MemberOptions) => Promise<GroupMember>;
