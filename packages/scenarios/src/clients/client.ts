import type { CodecName } from "./events.ts";

/** How a driver is started: the words before those of packages/scenarios/clients/README.md. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One row of the matrix. */
export interface Client {
  readonly name: string;
  readonly language: "JavaScript" | "Python" | "Java" | "Go" | "C";
  /** Writes with them, without anything plugged in. */
  readonly codecs: readonly CodecName[];
  /** Of those, the ones with which it reads what every other client writes; absent: all. */
  readonly opens?: readonly CodecName[];
  /** How members divide partitions; the name that the driver is given. */
  readonly assignors: readonly string[];
  /** Absent: everything that a record can carry. */
  readonly lacks?: {
    /** Its records are of the time at which they are sent. */
    readonly timestamps?: true;
    /** Keys, values and headers are lines of text. */
    readonly bytes?: true;
    /** One value per name. */
    readonly repeatedHeaders?: true;
    /** Who leaves in order has committed. */
    readonly uncommittedLeave?: true;
    /** Its members end when their broker does. */
    readonly endurance?: true;
    /** After a rebalance a member goes on where it stood, and does not ask what is committed. */
    readonly resumption?: true;
  };
  /** Tools that the machine must have and has not, as words; undefined: none. */
  readonly missing: () => string | undefined;
  /** Fetches and builds what is not in the cache yet. */
  readonly prepare: () => Promise<Launch>;
}
