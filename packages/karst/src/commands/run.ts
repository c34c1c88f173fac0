import { hasCode, isKarstError } from "@karst/runtime";
import { karstError } from "../errors.ts";
import { suggestion } from "../nearest.ts";
import type { Command, CommandIo } from "./command.ts";
import { serve } from "./serve.ts";

const COMMANDS: readonly Command[] = [serve];

/** Exit codes of commands: fine, failed, called wrongly. */
const FINE = 0;
const FAILED = 1;
const MISUSED = 2;

/** Runs the command that `args` name. @returns the exit code; what went wrong has been said. */
export async function runCommand(
  args: readonly string[],
  version: string,
  io: CommandIo,
): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    io.out(help());
    return first === undefined ? MISUSED : FINE;
  }
  if (first === "--version" || first === "-v") {
    io.out(version);
    return FINE;
  }
  try {
    if (rest.includes("--version")) {
      io.out(version);
      return FINE;
    }
    return await commandOf(first).run(rest, io);
  } catch (error) {
    io.err(`karst: ${explain(error)}`);
    return hasCode(error, "INVALID_OPTIONS", "INVALID_ROOT") ? MISUSED : FAILED;
  }
}

function commandOf(name: string): Command {
  const command = COMMANDS.find((known) => known.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((known) => known.name);
  throw karstError("INVALID_OPTIONS", `unknown command ${name}${suggestion(name, names)}`);
}

function help(): string {
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(8)}${summary}`);
  return [
    "karst COMMAND [options]",
    "",
    ...commands,
    "",
    "karst COMMAND --help says more; karst --version says which one this is.",
  ].join("\n");
}

/** A sentence for what is expected to go wrong, a stack for what is not. */
function explain(error: unknown): string {
  if (isKarstError(error) && error.kind !== "internal") return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
