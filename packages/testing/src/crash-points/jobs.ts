import assert from "node:assert/strict";
import type { Topic } from "@karst/core";
import * as steps from "../log/steps.ts";
import { adminCommits } from "./admin-commits.ts";
import { type CrashJob, NOTHING_MORE, type Performance, type Stage } from "./job.ts";
import { appendToAll, load } from "./load.ts";

/** Un-uploaded, over three segments. */
const BACKLOG_APPENDS = 24;
const TOPICS = ["payments", "shipments"] as const;

/** Records of many streams, some not even in the WAL yet, become objects, and a commit. */
const upload: CrashJob = {
  name: "upload",
  prepare: async ({ run, vary }) => {
    vary();
    await load(run);
    return {
      perform: async () => {
        // A stream with an object of its own, and appends whose outcome nobody knows.
        await steps.append(0, 0, { times: 2, count: 1, bytes: 900, wait: "no" })(run);
        await appendToAll(run, 150, "no");
        await steps.upload("done")(run);
      },
      check: NOTHING_MORE,
    };
  },
};

/** A process opens after a power cut: acknowledged records, torn ones, records that are in objects already. */
const recovery: CrashJob = {
  name: "recovery",
  prepare: async ({ run, vary }) => {
    await load(run);
    await steps.append(0, 0, { times: 2, count: 1, bytes: 900, wait: "no" })(run);
    await appendToAll(run, 300, "moment");
    await appendToAll(run, 300, "no");
    run.machine.crash("power");
    vary();
    return { perform: async () => void (await run.open()), check: NOTHING_MORE };
  },
};

/** Segments that a long outage of the store has left are removed, after the upload that makes them superfluous. */
const walTrim: CrashJob = {
  name: "wal trim",
  from: "disk.remove wal/segment",
  prepare: async ({ run, vary }) => {
    vary();
    await load(run);
    await steps.outage(true)(run);
    await steps.append(1, 0, { times: BACKLOG_APPENDS, count: 1, bytes: 400, wait: "done" })(run);
    await steps.outage(false)(run);
    return {
      perform: async () => {
        await steps.upload("done")(run);
        // What was released is used again.
        await steps.append(2, 0, { times: 6, count: 1, bytes: 1200, wait: "moment" })(run);
        await steps.upload("done")(run);
      },
      check: NOTHING_MORE,
    };
  },
};

/** Topics are made and deleted, producer ids taken, a log trimmed, an unowned stream taken over: a commit each. */
const commit: CrashJob = {
  name: "catalogue commit",
  prepare: async ({ run, vary }) => {
    vary();
    await load(run);
    const process = await run.live();
    const made = new Map<string, Topic>();
    const attempted = new Set<string>();
    let deletion: "none" | "doubtful" | "done" = "none";
    const change = async (): Promise<void> => {
      const { topics } = process;
      for (const name of TOPICS) {
        attempted.add(name);
        made.set(name, await topics.create({ name, partitions: 2 }));
      }
      // Takes the stream over.
      await topics.partition((made.get(TOPICS[1]) as Topic).topicId, 1);
      run.gotProducerId((await topics.allocateProducerIds()).first);
      deletion = "doubtful";
      await topics.delete((made.get(TOPICS[0]) as Topic).topicId);
      deletion = "done";
    };
    return {
      perform: async () => {
        const outcome = await run.world.until(process.life, change());
        if (outcome.tag === "failed") throw outcome.error as Error;
        await steps.trim(2, 0.5, "done")(run);
      },
      check: async ({ engine, topics }) => {
        for (const name of TOPICS) {
          const topic = topics.byName(name);
          const known = made.get(name);
          run.world.tally.checked += 1;
          assert.ok(topic === undefined || attempted.has(name), `nobody made topic ${name}`);
          const isDoomed = name === TOPICS[0] && deletion !== "none";
          if (known !== undefined && !isDoomed)
            assert.deepEqual(topic, known, `topic ${name} was made`);
          if (isDoomed && deletion === "done")
            assert.equal(topic, undefined, `topic ${name} was deleted`);
          if (topic === undefined) continue;
          assert.equal(topic.partitions, 2);
        }
        assert.ok(engine.catalogue.revision > 0);
      },
    };
  },
};

/** Commits that make a second snapshot due: chunks, some of the first one's among them, a manifest, and the removal of what is old. */
const snapshot: CrashJob = {
  name: "catalogue snapshot",
  prepare: async (stage: Stage): Promise<Performance> => {
    stage.vary();
    await load(stage.run);
    const admin = await adminCommits(stage);
    await admin.untilSnapshot();
    return {
      perform: async () => {
        // The engine commits too, while the log is cut off behind it.
        await appendToAll(stage.run, 200, "no");
        await steps.upload("no")(stage.run);
        await admin.untilSnapshot();
      },
      check: (process) => admin.check(process),
    };
  },
};

export const crashPointJobs: readonly CrashJob[] = [upload, recovery, walTrim, commit, snapshot];

/** @throws TypeError where there is none. */
export function jobNamed(name: string): CrashJob {
  const job = crashPointJobs.find((one) => one.name === name);
  if (job === undefined) throw new TypeError(`there is no job "${name}"`);
  return job;
}
