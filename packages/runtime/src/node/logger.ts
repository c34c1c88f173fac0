import type { LogFields, Logger } from "../log.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** From the most to the least talkative. */
export type LogLevel = (typeof LEVELS)[number];

const COLOURS: Readonly<Record<LogLevel, number>> = { debug: 90, info: 36, warn: 33, error: 31 };

/**
 * Writes events of `level` and above to stderr, one line each: time (UTC), level, event, then `key=value` in the given order.
 * Values that hold anything but plain characters are quoted as JSON, so that one event can never look like two.
 */
export function consoleLogger(level: LogLevel, options: LoggerOptions = {}): Logger {
  // `console` rather than the stream: a closed stderr must not end the process.
  const write = options.write ?? ((line) => console.error(line));
  const colour = options.colour ?? (process.stderr.isTTY === true && process.stderr.hasColors());
  const lowest = LEVELS.indexOf(level);
  const at = (of: LogLevel): ((event: string, fields?: LogFields) => void) => {
    if (LEVELS.indexOf(of) < lowest) return () => undefined;
    const name = of.toUpperCase().padEnd(5);
    const label = colour ? `\u001B[${COLOURS[of]}m${name}\u001B[0m` : name;
    return (event, fields) =>
      write(`${new Date().toISOString()} ${label} ${event}${format(fields)}`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export interface LoggerOptions {
  /** Takes a line without its end; default: stderr. */
  readonly write?: (line: string) => void;
  /** Default: only where stderr is a terminal with colours. */
  readonly colour?: boolean;
}

function format(fields: LogFields | undefined): string {
  let text = "";
  for (const [key, value] of Object.entries(fields ?? {})) {
    if (value !== undefined) text += ` ${key}=${quote(String(value))}`;
  }
  return text;
}

function quote(value: string): string {
  return /^[\w.:/@+,-]+$/.test(value) ? value : JSON.stringify(value);
}
