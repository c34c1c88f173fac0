import { randomBytes } from "node:crypto";
import { gzip } from "node:zlib";
import { fileObjectStore } from "@karst/objectstore";
import { crc32c } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";

/** Something that a process does beside appending. */
export interface Burden {
  readonly name: string;
  /** What is counted. */
  readonly unit: string;
  start(folder: string): Promise<RunningBurden>;
}

export interface RunningBurden {
  /** @returns how much was done. */
  stop(): Promise<number>;
}

const MiB = 1024 * 1024;
const POOL_THREADS = 4;
const OBJECT_BYTES = 8 * MiB;
const PUTS = 2;
const TURN_BYTES = 64 * 1024;

export const BURDENS: readonly Burden[] = [
  { name: "idle", unit: "", start: () => Promise.resolve({ stop: () => Promise.resolve(0) }) },
  { name: "pool busy", unit: "gzips of 256 KiB", start: () => loops(POOL_THREADS, gzipOnce) },
  {
    name: "uploads",
    unit: "objects of 8 MiB",
    start: (folder) => {
      const { files, random } = nodeRuntime();
      const store = fileObjectStore({ directory: `${folder}/objects`, files, random });
      const body = new Uint8Array(OBJECT_BYTES).fill(7);
      let next = 0;
      return loops(PUTS, async () => {
        const key = `objects/${next % 8}`;
        next += 1;
        await store.put(key, body);
      });
    },
  },
  { name: "thread busy", unit: "turns with work", start: () => loops(1, workOnce) },
];

const plain = randomBytes(256 * 1024);
plain.fill(7, 0, 128 * 1024);

function gzipOnce(): Promise<void> {
  return new Promise((resolve, reject) => {
    gzip(plain, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Some tens of microseconds of this thread, then a turn. */
function workOnce(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      for (let i = 0; i < 4; i += 1) crc32c(plain.subarray(0, TURN_BYTES), i);
      resolve();
    });
  });
}

function loops(count: number, once: () => Promise<void>): Promise<RunningBurden> {
  const state = { done: 0, stopped: false };
  const loop = async (): Promise<void> => {
    while (!state.stopped) {
      await once();
      state.done += 1;
    }
  };
  const running = Array.from({ length: count }, loop);
  return Promise.resolve({
    stop: async () => {
      const { done } = state;
      state.stopped = true;
      await Promise.all(running);
      return done;
    },
  });
}
