import { fileError } from "../../file-errors.ts";

const DESCRIPTIONS = {
  EBADF: "bad file descriptor",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file already exists",
  EFBIG: "file too large",
  EINVAL: "invalid argument",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EPERM: "operation not permitted",
} as const;

export type SystemErrorCode = keyof typeof DESCRIPTIONS;

/** What the real drivers throw for a system call that fails with `code`. */
export function diskError(code: SystemErrorCode, operation: string, path: string): Error {
  const cause = new Error(`${code}: ${DESCRIPTIONS[code]}, ${operation} '${path}'`);
  Object.assign(cause, { code, syscall: operation, path });
  return fileError(operation, path, cause);
}
