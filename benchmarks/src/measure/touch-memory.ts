import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from "node:fs";

const MiB = 1024 * 1024;

/**
 * Fills a file of this size and removes it, so that the files written next get pages that the machine has used before. In a virtual
 * machine the first touch of a page costs some milliseconds per MiB: five times what writing to the page cache costs otherwise, and
 * nothing that a machine in use pays.
 */
export function touchMemory(folder: string, mebibytes: number): void {
  const path = `${folder}/touch`;
  const bytes = new Uint8Array(MiB);
  const fd = openSync(path, "wx");
  for (let i = 0; i < mebibytes; i += 1) writeSync(fd, bytes, 0, MiB, i * MiB);
  fsyncSync(fd);
  closeSync(fd);
  unlinkSync(path);
}
