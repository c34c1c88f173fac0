import { type FileHandle, hasCode } from "@karst/runtime";
import { resolveRange } from "../../body.ts";
import { objectStoreError } from "../../errors.ts";
import { refuseAborted } from "../../lifecycle.ts";
import { NAMES_AT_ONCE, READ_PIECE_BYTES } from "../../limits.ts";
import type { ByteRange, ObjectInfo } from "../../object-store.ts";
import type { Names } from "./names.ts";

/** Reads objects; what it returns is durable, whoever wrote it. */
export class Reader {
  readonly #names: Names;

  constructor(names: Names) {
    this.#names = names;
  }

  async get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const { mark } = this.#names.keys;
    const handle = await this.#open(key);
    try {
      const size = await handle.size();
      const { start, end } = resolveRange(key, range, size);
      const bytes = new Uint8Array(end - start);
      for (let at = 0; at < bytes.length;) {
        refuseAborted(signal);
        const read = await handle.read(bytes.subarray(at, at + READ_PIECE_BYTES), start + at);
        if (read === 0)
          throw objectStoreError(
            "UNAVAILABLE",
            `${key} ended at byte ${start + at} of ${size} while it was read`,
          );
        at += read;
      }
      await this.#confirm(this.#names.layout.directoryOf(key), [{ key, bytes: size }], mark);
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /** What is known of objects of one directory; those without one are left out. */
  async look(directory: string, keys: readonly string[]): Promise<readonly ObjectInfo[]> {
    const { mark } = this.#names.keys;
    const infos: ObjectInfo[] = [];
    for (let at = 0; at < keys.length; at += NAMES_AT_ONCE) {
      const found = await Promise.all(
        keys.slice(at, at + NAMES_AT_ONCE).map((key) => this.#info(key)),
      );
      for (const info of found) if (info !== undefined) infos.push(info);
    }
    await this.#confirm(directory, infos, mark);
    return infos;
  }

  async #open(key: string): Promise<FileHandle> {
    try {
      return await this.#names.files.open(this.#names.layout.objectPath(key), "read");
    } catch (error) {
      if (hasCode(error, "FILE_NOT_FOUND"))
        throw objectStoreError("OBJECT_NOT_FOUND", `there is no object ${key}`, error);
      throw error;
    }
  }

  async #info(key: string): Promise<ObjectInfo | undefined> {
    const found = await this.#names.files.stat(this.#names.layout.objectPath(key));
    return found?.kind === "file"
      ? { key, bytes: found.bytes, etag: `${found.bytes}-${found.modifiedMs}` }
      : undefined;
  }

  /** Resolves when objects of a directory, seen since `mark`, are durable. */
  async #confirm(
    directory: string,
    seen: readonly { readonly key: string; readonly bytes: number }[],
    mark: number,
  ): Promise<void> {
    const unsure = seen.filter(({ key, bytes }) => !this.#names.keys.has(key, bytes));
    if (unsure.length === 0) return;
    await this.#names.directories.syncRenames(directory);
    for (const { key, bytes } of unsure) this.#names.keys.add(key, bytes, mark);
  }
}
