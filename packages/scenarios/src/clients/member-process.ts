import type { Launch } from "./client.ts";
import { DriverProcess } from "./driver-process.ts";
import type { CommitMode, MemberEvent } from "./events.ts";

const LEAVE_TIMEOUT_MS = 30_000;

export interface MemberProcessOptions {
  readonly name: string;
  readonly launch: Launch;
  readonly bootstrap: string;
  readonly topics: readonly string[];
  readonly group: string;
  readonly commit: CommitMode;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Default: the client's own. */
  readonly rebalanceTimeoutMs?: number;
  /** By the client's own name for it. Only some clients let themselves be told. */
  readonly assignor?: string;
  /** kafkajs with the codecs of @karst/records: it tells of those that it opens. */
  readonly plugged?: boolean;
  /** It takes no record before `go`. */
  readonly gated?: boolean;
  /** After so many records it does nothing any more, with the last of them not committed. */
  readonly hangAfter?: number;
  /** @param atUs when it was told, by `sharedUs`. What it throws is the member's failure. */
  readonly onEvent: (event: MemberEvent, atUs: number) => void;
}

/** A member of a group, of any client, in a process of its own, to be frozen and killed. */
export class MemberProcess extends DriverProcess {
  readonly name: string;

  constructor(options: MemberProcessOptions) {
    const { name, launch, topics, rebalanceTimeoutMs, onEvent } = options;
    const args = Object.entries({
      bootstrap: options.bootstrap,
      topics: topics.join(","),
      group: options.group,
      commit: options.commit,
      "session-timeout-ms": options.sessionTimeoutMs,
      "heartbeat-ms": options.heartbeatMs,
      "rebalance-timeout-ms": rebalanceTimeoutMs,
      assignor: options.assignor,
      plugged: options.plugged,
      gated: options.gated,
      "hang-after": options.hangAfter,
    }).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, String(value)]));
    super(name, launch, ["consume", ...args], (event, atUs) => {
      switch (event.event) {
        case "version":
        case "acknowledged":
        case "failed":
          throw new Error(`${name} printed ${event.event}`);
        default:
          onEvent(event, atUs);
      }
    });
    this.name = name;
  }

  /** It takes records from now on. */
  go(): void {
    this.write("go\n");
  }

  /** Has it commit what it has told of. */
  commit(): void {
    this.write("commit\n");
  }

  /** @throws Error with what it said, where it has failed or ended by itself. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** It commits if it commits by itself, and leaves the group. @throws Error where it ends otherwise than it should. */
  async leave(): Promise<void> {
    if (this.isFrozen) this.thaw();
    this.write("leave\n");
    await this.ended(LEAVE_TIMEOUT_MS);
  }
}
