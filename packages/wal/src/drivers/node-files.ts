import { statSync } from "node:fs";
import { runtimeError } from "@karst/runtime";
import { nodeBlockingFiles } from "@karst/runtime/node";
import type { DeviceFiles } from "../device/steps.ts";

/** Node's blocking files. `exists` throws wherever the system does not say yes or no: a fence must not be overlooked. */
export const nodeDeviceFiles: DeviceFiles = {
  ...nodeBlockingFiles,

  exists(path) {
    try {
      return statSync(path, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      throw runtimeError("IO_ERROR", `cannot look for ${path}: ${String(error)}`, error);
    }
  },
};
