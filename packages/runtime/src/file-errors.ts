import { type KarstError, runtimeError } from "./errors.ts";

/** What an operating system's error says: `code` is its symbol (`ENOSPC`). */
export interface SystemError extends Error {
  readonly code: string;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  ELOOP: "is a symbolic link, which is not followed",
};

/** Whether `error` came from the system, rather than from a wrong argument or a defect. */
function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error &&
    "syscall" in error &&
    "code" in error &&
    typeof error.code === "string"
  );
}

/** `ENOENT: no such file or directory, open '/x'` → `no such file or directory`. */
function describe(error: SystemError): string {
  const description = DESCRIPTIONS[error.code] ?? /^[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1];
  return description === undefined ? error.code : `${description} (${error.code})`;
}

/**
 * The Karst error for a failed file operation, with the system's error as its cause. Anything that is not a system error
 * is returned as it is.
 */
export function fileError(operation: string, path: string, error: unknown): KarstError | TypeError {
  if (!isSystemError(error)) return error as TypeError;
  const message = `cannot ${operation} ${path}: ${describe(error)}`;
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return runtimeError("NO_SPACE", message, error);
    case "ENOENT":
      return runtimeError("FILE_NOT_FOUND", message, error);
    case "EEXIST":
      return runtimeError("FILE_EXISTS", message, error);
    default:
      return runtimeError("IO_ERROR", message, error);
  }
}

/** Node takes any other position for "wherever the descriptor stands", which here is always a defect. */
export function checkPosition(position: number): void {
  if (Number.isSafeInteger(position) && position >= 0) return;
  throw new TypeError(`a file position is an integer from 0, not ${position}`);
}
