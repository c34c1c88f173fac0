import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { DeviceSteps, type Steps } from "../device/steps.ts";
import { nodeDeviceFiles } from "./node-files.ts";
import { toWire, type WorkerCall, type WorkerReply, type WorkerStart } from "./worker-protocol.ts";

/*
 * The worker's thread: blocking I/O, one call after the other, in the order in which they came. Only a segment's creation is
 * interrupted, after each slice, for whatever has come meanwhile.
 */

const port = parentPort as MessagePort;
const steps = new DeviceSteps(nodeDeviceFiles, (workerData as WorkerStart).directory);

port.on("message", (call: WorkerCall) => {
  if (call.operation === "create") {
    slice(call.id, steps.create(...call.args));
    return;
  }
  let reply: WorkerReply;
  try {
    reply = { id: call.id, value: run(call) };
  } catch (error) {
    reply = { id: call.id, error: toWire(error) };
  }
  port.postMessage(reply);
});

/** Takes the creation's next step; further ones after what has come meanwhile. */
function slice(id: number, creation: Steps<void>): void {
  try {
    if (creation.next().done !== true) {
      setImmediate(slice, id, creation);
      return;
    }
  } catch (error) {
    port.postMessage({ id, error: toWire(error) } satisfies WorkerReply);
    return;
  }
  port.postMessage({ id, value: undefined } satisfies WorkerReply);
}

function run(call: Exclude<WorkerCall, { readonly operation: "create" }>): unknown {
  switch (call.operation) {
    case "write":
      return runThrough(steps.write(...call.args));
    case "recycle":
      return runThrough(steps.recycle(...call.args));
    case "read":
      return steps.read(...call.args);
    case "list":
      return steps.list();
    case "size":
      return steps.size(...call.args);
    case "readSmall":
      return steps.readSmall(...call.args);
    case "replaceSmall":
      return runThrough(steps.replaceSmall(...call.args));
    case "createFence":
      return runThrough(steps.createFence(...call.args));
    case "remove":
      return runThrough(steps.remove(...call.args));
    case "close":
      return steps.close();
  }
}

function runThrough(operation: Steps<void>): void {
  while (operation.next().done !== true);
}
