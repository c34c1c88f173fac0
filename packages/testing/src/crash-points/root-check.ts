import {
  type Catalogue,
  nodeRow,
  objectRow,
  openCatalogue,
  rangeAt,
  streamEndRow,
} from "@karst/core";
import { equalBytes } from "@karst/runtime";
import type { Process } from "../log/process.ts";
import type { Invariants } from "../world/invariants.ts";
import type { World } from "../world/world.ts";
import type { PortProbe } from "./port-probe.ts";

/** Times that the engine may commit while a second image of its catalogue is read. */
const TRIES_MAX = 20;

/** What the store holds, after an opening: one history, with every object that it references, each written once. */
export async function checkRoot(world: World, process: Process, probe: PortProbe): Promise<void> {
  const invariants: Invariants = world.invariants;
  invariants.check(
    "O6",
    probe.rewritten.length === 0,
    () => `${probe.rewritten.join(", ")}: written again with other bytes`,
  );
  await world.clock.runUntil(checkHistory(world, process, probe));
  await world.clock.runUntil(checkObjects(world, process, probe));
  checkRanges(world, process.engine.catalogue);
}

/** Who reads the log from its beginning, or from the newest snapshot, comes to the image that the engine has. */
async function checkHistory(world: World, process: Process, probe: PortProbe): Promise<void> {
  const { catalogue, runtime } = process.engine;
  const objectStore = probe.surroundings.store;
  const second = await openCatalogue({ objectStore, runtime });
  for (let tries = 0; second.revision !== catalogue.revision && tries < TRIES_MAX; tries += 1) {
    if (second.revision < catalogue.revision) await second.refresh();
    else await catalogue.refresh();
  }
  const own = [...catalogue.scan("")];
  const others = [...second.scan("")];
  world.invariants.check(
    "O1",
    second.revision === catalogue.revision &&
      own.length === others.length &&
      own.every(({ key, value, revision }, i) => {
        const other = others[i];
        return other?.key === key && other.revision === revision && equalBytes(other.value, value);
      }),
    () => `the log leads to ${second.revision}, the engine's image is ${catalogue.revision}`,
  );
  await second.close();
}

async function checkObjects(world: World, process: Process, probe: PortProbe): Promise<void> {
  const { catalogue } = process.engine;
  const objectStore = probe.surroundings.store;
  for (const { key, value } of objectRow.scan(catalogue)) {
    const found = await objectStore.head(key);
    world.invariants.check(
      "O2",
      found?.bytes === value.bytes,
      () => `${key} has ${found?.bytes} bytes, not ${value.bytes}`,
    );
  }
  for (const { id, value } of streamEndRow.scan(catalogue)) {
    const { stateObject } = value;
    world.invariants.check(
      "O2",
      stateObject === undefined || catalogue.get(stateObject) !== undefined,
      () => `the state of stream ${id} is in ${stateObject}, which is not referenced`,
    );
  }
}

function checkRanges(world: World, catalogue: Catalogue): void {
  const ranges = [...objectRow.scan(catalogue)].flatMap(({ key, value }) =>
    Array.from({ length: value.ranges.count }, (_, i) => ({ key, ...rangeAt(value.ranges, i) })),
  );
  const sorted = ranges.toSorted((a, b) => a.streamId - b.streamId || a.start - b.start);
  const ends = new Map<number, number>();
  for (const { key, streamId, start, end } of sorted) {
    const before = ends.get(streamId) ?? 0;
    world.invariants.check(
      "O4",
      start >= before && end > start,
      () => `${key}: stream ${streamId} has [${start}, ${end}) after ${before}`,
    );
    ends.set(streamId, end);
  }
  for (const [streamId, end] of ends) {
    const committed = streamEndRow.get(catalogue, streamId)?.value.offset;
    world.invariants.check(
      "O4",
      committed === end,
      () => `stream ${streamId} ends at ${end}, and is committed up to ${committed}`,
    );
  }
}

/** Of the process's node, as it wrote it. */
export function epochOf({ engine }: Process): number {
  return nodeRow.get(engine.catalogue, engine.nodeId)?.value.epoch ?? 0;
}
