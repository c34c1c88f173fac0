import { hasCode } from "@karst/runtime";
import { SeededRandom, SimulatedDisk, type SimulatedDiskOptions } from "@karst/runtime/testing";

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const filled = (length: number, value: number): Uint8Array =>
  new Uint8Array(length).fill(value);
export const code =
  (expected: string) =>
  (error: unknown): boolean =>
    hasCode(error, expected);

export function makeDisk(options: Partial<SimulatedDiskOptions> = {}): SimulatedDisk {
  return new SimulatedDisk({ random: new SeededRandom("disk tests"), ...options });
}

/** A durable file with durable content. */
export function withFile(
  content: Uint8Array,
  options: Partial<SimulatedDiskOptions> = {},
): SimulatedDisk {
  const disk = makeDisk(options);
  disk.install("/d/a", content);
  return disk;
}

export function put(disk: SimulatedDisk, path: string, content: Uint8Array, position = 0): void {
  const file = disk.blocking.open(path, "write");
  file.write(content, 0, content.length, position);
  file.close();
}

/** Every outcome of many crashes from one state. */
export function outcomes<T>(
  disk: SimulatedDisk,
  look: (crashed: SimulatedDisk) => T,
  count = 200,
): T[] {
  return Array.from({ length: count }, (_, i) => {
    const clone = disk.clone(new SeededRandom(i));
    clone.crash();
    return look(clone);
  });
}
