import { apis } from "@karst/kafka-protocol";
import type { AnyApi, MessageCodec } from "@karst/kafka-protocol";
import { allTypesApi } from "./all-types.ts";

export interface VersionedCodec {
  readonly codec: MessageCodec<unknown, never>;
  readonly version: number;
  readonly flexible: boolean;
  readonly label: string;
}

const all: readonly AnyApi[] = [...apis.values(), allTypesApi];

/** Every message of every API in every version, and one message with all that the notation has. */
export const versionedCodecs: readonly VersionedCodec[] = all.flatMap((api) =>
  [api.request, api.response].flatMap((codec) => {
    const { min, max } = api.versions;
    return Array.from({ length: max - min + 1 }, (_, i) => ({
      codec,
      version: min + i,
      flexible: api.requestHeaderVersion(min + i) === 2,
      label: `${codec.name} v${min + i}`,
    }));
  }),
);
