import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, in memory, that is full soon. */
export class SmallDisk {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** @throws Error where this process must not mount. */
  static mount(megabytes: number): SmallDisk {
    const directory = mkdtempSync(join(tmpdir(), "karst-disk-"));
    const mount = spawnSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${megabytes}m`,
      "tmpfs",
      directory,
    ]);
    if (mount.status === 0) return new SmallDisk(directory);
    rmdirSync(directory);
    throw new Error(`cannot mount: ${String(mount.stderr)}`);
  }

  /** With all that is on it. No process uses it any more. */
  unmount(): void {
    const { status, stderr } = spawnSync("umount", [this.directory]);
    if (status !== 0) throw new Error(`cannot unmount: ${String(stderr)}`);
    rmdirSync(this.directory);
  }
}

export function canMount(): boolean {
  try {
    SmallDisk.mount(1).unmount();
    return true;
  } catch {
    return false;
  }
}
