import type { ServerEvent } from "./server.ts";

/** What a run went through, from the broker's own events: a run that crossed nothing has shown nothing. */
export interface Crossings {
  readonly segmentRolls: number;
  readonly uploads: number;
  readonly walTrims: number;
  /** Starts that found records in objects and others in the WAL. */
  readonly mixedRecoveries: number;
}

export function crossingsOf(events: readonly ServerEvent[]): Crossings {
  const count = (name: string): number => events.filter((event) => event.name === name).length;
  return {
    segmentRolls: count("wal-segment-rolled"),
    uploads: count("upload-published"),
    walTrims: count("wal-trimmed"),
    mixedRecoveries: events.filter(
      ({ name, fields }) =>
        name === "engine-opened" &&
        Number(fields.get("storedStreams")) > 0 &&
        Number(fields.get("recoveredFrames")) > 0,
    ).length,
  };
}
