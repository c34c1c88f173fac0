import { isKarstError, type KarstError } from "@karst/runtime";
import { recordsError } from "../errors.ts";

/** What a codec throws, where the input is not what it says that it is. */
export function corrupt(message: string, cause?: unknown): KarstError {
  return recordsError("CORRUPT_BATCH", message, cause);
}

export function tooLarge(codec: string, bytesMax: number, cause?: unknown): KarstError {
  return recordsError(
    "DECOMPRESSED_TOO_LARGE",
    `the ${codec} data is more than ${bytesMax} bytes long`,
    cause,
  );
}

/** An error of this package as it is; whatever a decoder threw otherwise, a trap of WebAssembly included, as `CORRUPT_BATCH`. */
export function decodingError(codec: string, cause: unknown): Error {
  return isKarstError(cause) ? cause : corrupt(`the ${codec} data is damaged`, cause);
}
