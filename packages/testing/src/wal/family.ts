import type { Family } from "../family.ts";
import { WAL_LABELS } from "./labels.ts";
import { walSeed } from "./wal-seed.ts";

/** The WAL alone, and every state that a crash may leave it in. */
export const walFamily: Family = { name: "wal", labels: WAL_LABELS, run: walSeed };
