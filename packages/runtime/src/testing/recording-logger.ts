import type { LogFields, Logger } from "../log.ts";

export interface LoggedEvent {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

export interface RecordingLogger extends Logger {
  /** Everything logged so far, in order. */
  readonly events: readonly LoggedEvent[];
  /** The events of one name. */
  of(event: string): LoggedEvent[];
}

/** Keeps what is logged, for assertions. */
export function recordingLogger(): RecordingLogger {
  const events: LoggedEvent[] = [];
  const at = (level: LoggedEvent["level"]): Logger["info"] => {
    return (event, fields = {}) => void events.push({ level, event, fields });
  };
  return {
    events,
    of: (event) => events.filter((logged) => logged.event === event),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
