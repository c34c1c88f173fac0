/**
 * What the caller does next. `invalid`: fix the call. `not_found`: create it, or stop. `out_of_range`: choose another offset.
 * `conflict`: re-read, decide again. `fenced`, `closed`: discard this handle. `unavailable`: retry with backoff.
 * `indeterminate`: may have happened, read before retrying. `corrupt`: stop, call an operator. `internal`: report a bug.
 */
export type ErrorKind =
  | "invalid"
  | "not_found"
  | "out_of_range"
  | "conflict"
  | "fenced"
  | "closed"
  | "unavailable"
  | "indeterminate"
  | "corrupt"
  | "internal";

/** A package's codes: what happened, stable for ever, each with the kind that says what to do about it. */
export type ErrorTable = Readonly<Record<string, ErrorKind>>;

const brand: unique symbol = Symbol.for("karst.error") as never;

/** The one error class. `kind` and `code` are API; the message is for people and may change. */
export class KarstError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;

  private constructor(kind: ErrorKind, code: string, message: string, cause: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KarstError";
    this.kind = kind;
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /** @internal Use the factory that `defineErrors` returns. */
  static make(kind: ErrorKind, code: string, message: string, cause: unknown): KarstError {
    return new KarstError(kind, code, message, cause);
  }
}

/** Makes a package's error factory: `fail("FRAME_TOO_LARGE", "…", cause)`; the kind comes from the table. */
export function defineErrors<Table extends ErrorTable>(
  table: Table,
): (code: keyof Table & string, message: string, cause?: unknown) => KarstError {
  return (code, message, cause) => KarstError.make(table[code] as ErrorKind, code, message, cause);
}

/** Whether a value is a Karst error, of any copy of the package, and of one of the kinds where some are given. */
export function isKarstError(value: unknown, ...kinds: readonly ErrorKind[]): value is KarstError {
  if (
    typeof value !== "object" ||
    value === null ||
    (value as Record<symbol, unknown>)[brand] !== true
  )
    return false;
  return kinds.length === 0 || kinds.includes((value as KarstError).kind);
}

/** Whether a value is a Karst error with one of these codes. */
export function hasCode(value: unknown, ...codes: readonly string[]): value is KarstError {
  return isKarstError(value) && codes.includes(value.code);
}

/** Codes of this package. */
export const RUNTIME_ERRORS = {
  ASSERTION_FAILED: "internal",
  NO_SPACE: "unavailable",
  IO_ERROR: "unavailable",
  FILE_NOT_FOUND: "not_found",
  FILE_EXISTS: "conflict",
  ADDRESS_IN_USE: "unavailable",
  TRUNCATED: "corrupt",
  MEMORY_BUDGET_EXCEEDED: "unavailable",
} as const;

export const runtimeError: (
  code: keyof typeof RUNTIME_ERRORS,
  message: string,
  cause?: unknown,
) => KarstError = defineErrors(RUNTIME_ERRORS);

/** A broken invariant: the handle that meets one fails and never continues. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw runtimeError("ASSERTION_FAILED", message);
}
