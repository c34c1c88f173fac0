/**
 * What the promise comes to; it is not waited for longer than that.
 *
 * @param what is waited for, as in "the broker ends".
 * @throws Error that names it, once it is late; what the promise rejects with then is nobody's.
 */
export async function within<T>(
  timeoutMs: number,
  what: string | (() => string),
  promise: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const named = typeof what === "string" ? what : what();
      reject(new Error(`waited in vain, for ${timeoutMs / 1_000} s, until ${named}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
