// A process to be killed: appends frames for ever, several in flight, and prints the id of each that is durable.
// Runs the built output. Arguments: directory, device kind.
import { writeSync } from "node:fs";
import { MemoryBudget, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import { fileWal, WAL_START } from "@karst/wal";

const [directory, deviceKind] = process.argv.slice(2);
const slabs = new SlabPool({ budget: new MemoryBudget(64 * 1024 * 1024), slabBytes: 64 * 1024 });
const limits = { segmentBytes: 64 * 1024, firstSegmentBytes: 32 * 1024, groupFramesMax: 8 };
const factory = fileWal({ directory, deviceKind, runtime: nodeRuntime(), slabs, limits });
const claim = await factory.claim({ rootId: "root" });
let nextId = 1;
const pending = [];
const wal = await claim.recover({
  trim: WAL_START,
  onFrame: (frame) => {
    nextId = frame.streamId + 1;
    frame.slab.release();
  },
  listener: {
    durable: (position) => {
      let lines = "";
      while (pending.length > 0 && pending[0].end <= position) lines += `${pending.shift().id}\n`;
      if (lines !== "") writeSync(1, lines);
      setImmediate(fill);
    },
    failed: (error) => {
      throw error;
    },
  },
});

function fill() {
  while (pending.length < 20) {
    const id = nextId++;
    const payload = new Uint8Array(100 + (id % 400)).map((_, i) => (id + i) & 0xff);
    const frame = {
      streamId: id,
      streamEpoch: 1,
      baseOffset: id * 3,
      count: 3,
      maxTimestampMs: id,
      payload,
    };
    const { end, slab } = wal.append(frame);
    slab.release();
    pending.push({ id, end });
  }
}

fill();
