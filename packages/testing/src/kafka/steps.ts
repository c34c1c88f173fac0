import type { StepOf } from "../world/story.ts";
import type { Hostility } from "./hostile.ts";
import type { KafkaRun } from "./kafka-run.ts";

type Step = StepOf<KafkaRun>;

export function hostile(what: Hostility): Step {
  return async (run) => {
    run.world.faulted(`hostile ${what}`);
    run.attack(what);
  };
}

export const list: Step = async (run) => {
  run.admin.list().catch((error: unknown) => run.failed(error));
};
