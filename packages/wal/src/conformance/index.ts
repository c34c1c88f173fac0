import type { WalLimits } from "../limits.ts";
import { faultTests } from "./fault-tests.ts";
import type { WalConformanceOptions, WalPlace } from "./harness.ts";
import { lifecycleTests } from "./lifecycle-tests.ts";
import { logTests } from "./log-tests.ts";

export type {
  TestFunction,
  WalCapabilities,
  WalConformanceOptions,
  WalPlace,
  WalProcess,
} from "./harness.ts";

/** So small that every test crosses segments. */
const SMALL: Partial<WalLimits> = {
  segmentBytes: 4096,
  firstSegmentBytes: 2048,
  groupBytesMax: 1024,
  groupFramesMax: 8,
};

/** Registers the tests that every WAL must pass, and those for which the driver has the capabilities. */
export function walConformance({ test, create, capabilities = {} }: WalConformanceOptions): void {
  const check = (
    name: string,
    body: (place: WalPlace) => Promise<void>,
    limits: Partial<WalLimits> = {},
  ): void => {
    test(name, async () => {
      const place = await create({ ...SMALL, ...limits });
      try {
        await body(place);
      } finally {
        await place.dispose();
      }
    });
  };
  logTests(check);
  lifecycleTests(check);
  faultTests(check, capabilities);
}
