import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Life } from "./life.ts";

const MEGABYTES = 64;
/** Two images of the disk, and what the file system that holds them needs. */
const HOST_MEGABYTES = 2 * MEGABYTES + 32;
const UNMOUNT_TRIES = 50;
const UNMOUNT_PAUSE_MS = 20;

/**
 * A disk whose power can be cut: an ext4 file system in an image, the image in another file system, that one in an image too.
 *
 * Freezing the outer file system holds every write to the inner one's image at one instant, so that the copy taken then is what a
 * disk without a volatile cache would hold: all that the inner file system had sent, nothing that was only in the page cache. The
 * process dies before the thaw: none of its acknowledgements can rest on a write that the copy lacks.
 */
export class LoopDisk {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #base: string;
  readonly #host: string;
  readonly #cut: string;
  #generation = 0;

  private constructor(base: string) {
    this.#base = base;
    this.#host = join(base, "host");
    this.#cut = join(base, "cut.img");
    this.directory = join(base, "disk");
  }

  /** @throws Error where this process may not, or a tool is missing. */
  static create(): LoopDisk {
    const disk = new LoopDisk(mkdtempSync(join(tmpdir(), "karst-power-")));
    try {
      mkdirSync(disk.#host);
      mkdirSync(disk.directory);
      const outer = join(disk.#base, "host.img");
      // The outer one's journal would only make its own syncs dearer.
      disk.#format(outer, HOST_MEGABYTES, ["-O", "^has_journal"]);
      run("mount", "-o", "loop", outer, disk.#host);
      disk.#format(disk.#image, MEGABYTES, []);
      disk.#mount();
    } catch (error) {
      disk.destroy();
      throw error;
    }
    return disk;
  }

  /** Makes everything on it durable. */
  sync(): void {
    run("sync", "--file-system", this.directory);
  }

  /** Cuts the power, ending the process that lives, and mounts what is left: its journal is replayed. */
  async cutPower(life?: Life): Promise<void> {
    this.#copyFrozen(life === undefined ? "" : String(life.pid));
    await life?.kill();
    this.#unmount(this.directory);
    const old = this.#image;
    this.#generation += 1;
    run("rm", old);
    run("cp", "--sparse=always", this.#cut, this.#image);
    this.#mount();
  }

  /** With all that is on it. No process uses it any more. */
  destroy(): void {
    for (const directory of [this.directory, this.#host])
      if (spawnSync("mountpoint", ["-q", directory]).status === 0) this.#unmount(directory);
    rmSync(this.#base, { recursive: true, force: true });
  }

  get #image(): string {
    return join(this.#host, `disk-${this.#generation}.img`);
  }

  #format(image: string, megabytes: number, options: readonly string[]): void {
    run("truncate", `--size=${megabytes}M`, image);
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", ...options, image);
  }

  #mount(): void {
    run("mount", "-o", "loop", this.#image, this.directory);
  }

  /** In one shell, so that it is thawed also if this process ends meanwhile. */
  #copyFrozen(pid: string): void {
    const script = `fsfreeze --freeze "$1" || exit 1
      cp --sparse=always "$2" "$3"; copied=$?
      [ -z "$4" ] || kill -KILL "$4"
      fsfreeze --unfreeze "$1" && exit $copied`;
    run("sh", "-c", script, "cut-power", this.#host, this.#image, this.#cut, pid);
  }

  /** A process that has just died may hold it a moment longer. */
  #unmount(directory: string): void {
    for (let tries = 1; ; tries += 1) {
      try {
        run("umount", directory);
        return;
      } catch (error) {
        if (tries === UNMOUNT_TRIES) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNMOUNT_PAUSE_MS);
      }
    }
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`, { cause: error });
}

/** Why power cannot be cut here; undefined: it can. */
export function whyNoLoopDisk(): string | undefined {
  try {
    LoopDisk.create().destroy();
    return undefined;
  } catch (error) {
    return `power cuts need root, mount, mkfs.ext4 and fsfreeze: ${(error as Error).message}`;
  }
}
