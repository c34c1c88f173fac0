import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { crc32cImplementation } from "@karst/runtime";

/** What figures depend on, in lines. */
export function describeMachine(folder: string): readonly string[] {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    `CPU      ${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    `memory   ${gibibytes} GiB`,
    `kernel   ${process.platform} ${release()} ${process.arch}`,
    `disk     ${fileSystemOf(folder)}`,
    `Node     ${process.version}`,
    `CRC-32C  ${crc32cImplementation}`,
  ];
}

/** Type and device of the file system that a folder is on. */
function fileSystemOf(folder: string): string {
  try {
    const printed = execFileSync("df", ["-PT", folder], { encoding: "utf8" });
    const [device, type] = printed.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
    return `${type ?? "unknown"} on ${device ?? "unknown"}`;
  } catch {
    return "unknown";
  }
}
