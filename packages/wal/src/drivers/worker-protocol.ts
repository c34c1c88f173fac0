import { isKarstError, RUNTIME_ERRORS, runtimeError } from "@karst/runtime";
import { WAL_ERRORS, walError } from "../errors.ts";
import type { DeviceSteps } from "../device/steps.ts";

/** What the worker is started with. */
export interface WorkerStart {
  readonly directory: string;
}

type Operations = Pick<
  DeviceSteps,
  | "list"
  | "readSmall"
  | "replaceSmall"
  | "createFence"
  | "create"
  | "recycle"
  | "write"
  | "read"
  | "size"
  | "remove"
  | "close"
>;

/** One call. Arguments are cloned; views of shared memory are passed as such. */
export type WorkerCall = {
  readonly [Name in keyof Operations]: {
    readonly id: number;
    readonly operation: Name;
    readonly args: Parameters<Operations[Name]>;
  };
}[keyof Operations];

/** A failure as plain data: an error's class and brand do not survive the way between threads. */
export interface WireError {
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError };

export function toWire(error: unknown): WireError {
  const code = isKarstError(error) ? error.code : undefined;
  return error instanceof Error
    ? { code, message: error.message, stack: error.stack }
    : { code, message: String(error), stack: undefined };
}

export function fromWire({ code, message, stack }: WireError): Error {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  if (code !== undefined && code in WAL_ERRORS)
    return walError(code as keyof typeof WAL_ERRORS, message, cause);
  if (code !== undefined && code in RUNTIME_ERRORS)
    return runtimeError(code as keyof typeof RUNTIME_ERRORS, message, cause);
  return cause;
}
