import { MemoryBudget, type Runtime, SlabPool } from "@karst/runtime";
import { nodeRuntime } from "@karst/runtime/node";
import {
  type DeviceKind,
  fileWal,
  type RecoveredFrame,
  type Wal,
  WAL_START,
  type WalPosition,
} from "@karst/wal";

const MiB = 1024 * 1024;
const ROOT_ID = "00000000000000000000000000000000";

/** Claims and recovers the WAL of a directory, and hands over what it holds. */
export async function recoverWal(
  directory: string,
  device: DeviceKind,
  onFrame: (frame: RecoveredFrame) => void,
  onDurable: (position: WalPosition) => void = () => undefined,
): Promise<Wal> {
  const runtime: Runtime = nodeRuntime();
  const slabs = new SlabPool({ budget: new MemoryBudget(256 * MiB) });
  const claim = await fileWal({ runtime, slabs, directory, deviceKind: device }).claim({
    rootId: ROOT_ID,
  });
  return claim.recover({
    trim: WAL_START,
    onFrame: (frame) => {
      onFrame(frame);
      frame.slab.release();
    },
    listener: {
      durable: onDurable,
      failed: (error) => {
        throw error;
      },
    },
  });
}

/** The WAL alone, of one stream: appends resolve when durable. */
export class WalLog {
  readonly #wal: Wal;
  #nextOffset = 0;
  /** In order of position. */
  readonly #waiting: { readonly end: WalPosition; readonly resolve: () => void }[] = [];
  #settled = 0;

  static async open(directory: string, device: DeviceKind): Promise<WalLog> {
    const log: { current: WalLog | undefined } = { current: undefined };
    const wal = await recoverWal(
      directory,
      device,
      () => undefined,
      (position) => log.current?.settle(position),
    );
    log.current = new WalLog(wal);
    return log.current;
  }

  private constructor(wal: Wal) {
    this.#wal = wal;
  }

  append(payload: Uint8Array): Promise<void> {
    const { end, slab } = this.#wal.append({
      streamId: 1,
      streamEpoch: 1,
      baseOffset: this.#nextOffset,
      count: 1,
      maxTimestampMs: -1,
      payload,
    });
    this.#nextOffset += 1;
    slab.release();
    return new Promise((resolve) => this.#waiting.push({ end, resolve }));
  }

  settle(position: WalPosition): void {
    for (; this.#settled < this.#waiting.length; this.#settled += 1) {
      const waiter = this.#waiting[this.#settled];
      if (waiter === undefined || waiter.end > position) break;
      waiter.resolve();
    }
    if (this.#settled < this.#waiting.length && this.#settled < 4_096) return;
    this.#waiting.splice(0, this.#settled);
    this.#settled = 0;
  }

  /** Forgets everything: what an upload allows in an engine. */
  async trim(): Promise<void> {
    await this.#wal.flush();
    await this.#wal.trim(this.#wal.durablePosition);
  }

  /** Ends as a crash would, so that there is something to recover. */
  async abandon(): Promise<void> {
    await this.#wal.flush();
    await this.#wal.abandon();
  }

  async close(): Promise<void> {
    await this.#wal.close();
  }
}
