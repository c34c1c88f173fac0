/** Facts of an event: plain values only, never payload bytes and never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where events go. `event` is a stable kebab-case name (`wal-tail-cut`), not prose. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
