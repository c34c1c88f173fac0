import { hasCode, isKarstError, type KarstError } from "@karst/runtime";
import { objectStoreError } from "../../errors.ts";

/** What the system answers to a call that it does not begin: nothing has changed, and nothing was lost. */
const REFUSALS: ReadonlySet<string> = new Set([
  "EACCES",
  "EAGAIN",
  "EBUSY",
  "EINVAL",
  "ELOOP",
  "EMFILE",
  "EMLINK",
  "ENAMETOOLONG",
  "ENFILE",
  "ENOMEM",
  "ENOSYS",
  "ENOTDIR",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "EROFS",
  "EXDEV",
]);

/** Whether a failed operation on a name, or a failed sync of a directory, certainly changed and lost nothing. */
export function isRefusal(error: unknown): boolean {
  if (hasCode(error, "NO_SPACE", "FILE_NOT_FOUND", "FILE_EXISTS")) return true;
  const cause: unknown = isKarstError(error) ? error.cause : undefined;
  return (
    cause instanceof Error &&
    "code" in cause &&
    typeof cause.code === "string" &&
    REFUSALS.has(cause.code)
  );
}

/** This package's error for a failure of the files that certainly had no effect; its own errors and defects as they are. */
export function unavailable(error: unknown, what: string): unknown {
  return hasCode(error, "NO_SPACE", "IO_ERROR", "FILE_NOT_FOUND", "FILE_EXISTS")
    ? objectStoreError("UNAVAILABLE", `${what}: ${error.message}`, error)
    : error;
}

/** The same, of a failure after which the effect may be there, now or after a crash. */
export function unknownOutcome(error: unknown, what: string): unknown {
  return isKarstError(error, "unavailable", "not_found", "conflict") ||
    hasCode(error, "STORE_FAILED")
    ? objectStoreError("UNKNOWN_OUTCOME", `${what}: ${error.message}`, error satisfies KarstError)
    : error;
}
