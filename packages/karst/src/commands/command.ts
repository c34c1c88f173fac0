/** Where a command writes, and what stops it. */
export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
  /** Resolves with the first signal that asks the process to end. */
  readonly stopped: Promise<string>;
}

/** A word after `karst`. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly help: string;
  /**
   * @param args what comes after the command's name.
   * @returns the exit code: 0, or 1 where it failed while running.
   * @throws KarstError `INVALID_OPTIONS` (`invalid`): exit code 2.
   */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}
