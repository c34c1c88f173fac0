import { checkPosition } from "../../file-errors.ts";
import type { DirectoryEntry, FileHandle, FileKind, Files } from "../../files.ts";
import { HandleGate } from "../../handle-gate.ts";
import type { Random } from "../../random.ts";
import type { DiskCall } from "./faults.ts";
import { type DiskLife, failBy } from "./life.ts";
import { OpenFile } from "./open-file.ts";
import { normalise } from "./volume.ts";

const nothing = (): void => undefined;

/** The asynchronous side of a simulated disk, for one life of its process. */
export class SimulatedFiles implements Files {
  readonly #life: DiskLife;
  readonly #random: Random;

  constructor(life: DiskLife, random: Random) {
    this.#life = life;
    this.#random = random;
  }

  open(path: string, mode: "read" | "create" | "write"): Promise<FileHandle> {
    const call: DiskCall = { operation: "open", path: normalise(path), mode };
    return this.#do(call, () => {
      const { volume } = this.#life;
      const node = volume.open(call.path, mode);
      const file = new OpenFile({
        path: call.path,
        volume,
        node,
        writable: mode !== "read",
        random: this.#random,
      });
      return new SimulatedHandle(this.#life, file);
    });
  }

  list(path: string): Promise<readonly DirectoryEntry[]> {
    const call: DiskCall = { operation: "list", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.list(call.path));
  }

  stat(path: string): Promise<{ kind: FileKind; bytes: number; modifiedMs: number } | undefined> {
    const call: DiskCall = { operation: "stat", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.stat(call.path));
  }

  makeDirectory(path: string): Promise<void> {
    const call: DiskCall = { operation: "makeDirectory", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.makeDirectory(call.path));
  }

  rename(from: string, to: string): Promise<void> {
    const call = { operation: "rename", path: normalise(from), to: normalise(to) } as const;
    return this.#do(call, () => this.#life.volume.rename(call.path, call.to));
  }

  link(from: string, to: string): Promise<void> {
    const call = { operation: "link", path: normalise(from), to: normalise(to) } as const;
    return this.#do(call, () => this.#life.volume.link(call.path, call.to));
  }

  remove(path: string): Promise<void> {
    const call: DiskCall = { operation: "remove", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.remove(call.path));
  }

  removeDirectory(path: string): Promise<void> {
    const call: DiskCall = { operation: "removeDirectory", path: normalise(path) };
    return this.#do(call, () => this.#life.volume.removeDirectory(call.path));
  }

  syncDirectory(path: string): Promise<void> {
    const call: DiskCall = { operation: "syncDirectory", path: normalise(path) };
    const { volume } = this.#life;
    return this.#life.later(
      call,
      () => volume.beginDirectorySync(call.path),
      (effect, { directory, point }) => {
        failBy(effect, call);
        volume.names.completeSync(directory, point);
      },
    );
  }

  #do<T>(call: DiskCall, body: () => T): Promise<T> {
    return this.#life.later(call, nothing, (effect) => {
      failBy(effect, call);
      return body();
    });
  }
}

class SimulatedHandle implements FileHandle {
  readonly #life: DiskLife;
  readonly #file: OpenFile;
  readonly #gate: HandleGate;

  constructor(life: DiskLife, file: OpenFile) {
    this.#life = life;
    this.#file = file;
    this.#gate = new HandleGate(file.path);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const call: DiskCall = {
      operation: "read",
      path: this.#file.path,
      position,
      length: into.length,
    };
    return this.#gate.run(() => {
      checkPosition(position);
      return this.#life.later(call, nothing, (effect) =>
        this.#file.read(into, position, effect, call),
      );
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const call: DiskCall = {
      operation: "write",
      path: this.#file.path,
      position,
      length: bytes.length,
    };
    return this.#gate.run(() => {
      checkPosition(position);
      return this.#life.later(call, nothing, (effect) => {
        let written = this.#file.write(bytes, position, effect, call);
        while (written < bytes.length) {
          written += this.#file.write(bytes.subarray(written), position + written, undefined, call);
        }
      });
    });
  }

  datasync(): Promise<void> {
    const call: DiskCall = { operation: "datasync", path: this.#file.path };
    return this.#gate.run(() =>
      this.#life.later(
        call,
        () => this.#file.beginSync(),
        (effect, point) => this.#file.endSync(point, effect, call),
      ),
    );
  }

  size(): Promise<number> {
    const call: DiskCall = { operation: "size", path: this.#file.path };
    return this.#gate.run(() =>
      this.#life.later(call, nothing, (effect) => this.#file.size(effect, call)),
    );
  }

  close(): Promise<void> {
    const call: DiskCall = { operation: "close", path: this.#file.path };
    return this.#gate.close(() =>
      this.#life.later(call, nothing, (effect) => this.#file.close(effect, call)),
    );
  }
}
