import fs from "node:fs";

/** How a group gets to the disk: by blocking calls on this thread, or by one call of the thread pool on an `O_DSYNC` file. */
export type BareMode = "blocking" | "pool";

const FILE_BYTES = 64 * 1024 * 1024;
const STAGING_BYTES = 4 * 1024 * 1024;
const ZEROS_BYTES = 1024 * 1024;

interface Group {
  readonly staging: Uint8Array;
  used: number;
  waiters: (() => void)[];
}

/**
 * The machine's bare group-commit loop: take what is pending, write it at once, sync, resolve everyone. No frames, no checksums,
 * no offsets, no limits, and one prewritten file overwritten for ever: what any durable log on this machine costs at least.
 *
 * Invariant: one write at a time; while it goes, the other group fills.
 */
export class BareLog {
  readonly #fd: number;
  readonly #mode: BareMode;
  #filling: Group = emptyGroup();
  #spare: Group = emptyGroup();
  #position = 0;
  #busy = false;

  constructor(path: string, mode: BareMode) {
    prewrite(path);
    const dsync = mode === "pool" ? fs.constants.O_DSYNC : 0;
    this.#fd = fs.openSync(path, fs.constants.O_RDWR | dsync);
    this.#mode = mode;
  }

  append(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.appendThen(bytes, resolve));
  }

  /** `durable` is called once the bytes are. */
  appendThen(bytes: Uint8Array, durable: () => void): void {
    const group = this.#filling;
    if (group.used + bytes.length > STAGING_BYTES)
      throw new Error("the bare log's staging is full");
    group.staging.set(bytes, group.used);
    group.used += bytes.length;
    group.waiters.push(durable);
    if (this.#busy) return;
    this.#busy = true;
    // Whoever appends in this turn comes along.
    queueMicrotask(() => this.#write());
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #write(): void {
    const group = this.#filling;
    this.#filling = this.#spare;
    this.#spare = group;
    if (this.#position + group.used > FILE_BYTES) this.#position = 0;
    const position = this.#position;
    this.#position += group.used;
    if (this.#mode === "blocking") {
      fs.writeSync(this.#fd, group.staging, 0, group.used, position);
      fs.fdatasyncSync(this.#fd);
      // A turn in between, as elsewhere: a loop of microtasks would keep every other event out.
      setImmediate(() => this.#written(group));
      return;
    }
    fs.write(this.#fd, group.staging, 0, group.used, position, (error, written) => {
      if (error !== null) throw error;
      if (written !== group.used) throw new Error(`${written} of ${group.used} bytes were written`);
      this.#written(group);
    });
  }

  #written(group: Group): void {
    const { waiters } = group;
    group.waiters = [];
    group.used = 0;
    for (const durable of waiters) durable();
    this.#busy = this.#filling.waiters.length > 0;
    // Last, so that those who have just been told and append again are in time.
    if (this.#busy) queueMicrotask(() => this.#write());
  }
}

function emptyGroup(): Group {
  return { staging: new Uint8Array(new SharedArrayBuffer(STAGING_BYTES)), used: 0, waiters: [] };
}

function prewrite(path: string): void {
  const fd = fs.openSync(path, "w");
  const zeros = new Uint8Array(ZEROS_BYTES);
  for (let at = 0; at < FILE_BYTES; at += ZEROS_BYTES) fs.writeSync(fd, zeros, 0, ZEROS_BYTES, at);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}
