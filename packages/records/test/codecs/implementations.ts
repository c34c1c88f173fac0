import { type Codec, codecTwins } from "@karst/records";

/** Every implementation that is here: native ones where they load. */
export const IMPLEMENTATIONS: readonly (readonly [string, Codec])[] = [1, 2, 3, 4].flatMap((id) => {
  const { native, portable } = codecTwins(id);
  const named = [[`${portable.name}, portable`, portable] as const];
  return native === undefined ? named : [...named, [`${native.name}, native`, native] as const];
});

/** Those of one codec. */
export function implementationsOf(name: string): (readonly [string, Codec])[] {
  return IMPLEMENTATIONS.filter(([, codec]) => codec.name === name);
}

/** What decoding gives or which code it throws, found in both ways. */
export async function outcomeOf(
  codec: Codec,
  bytes: Uint8Array,
  bytesMax: number,
): Promise<Uint8Array | string> {
  let here: Uint8Array | string;
  try {
    here = codec.decompress(bytes, bytesMax);
  } catch (error) {
    here = codeOf(error);
  }
  let aside: Uint8Array | string;
  try {
    aside = await codec.decompressAsync(bytes, bytesMax);
  } catch (error) {
    aside = codeOf(error);
  }
  if (typeof here === "string" ? here !== aside : !sameBytes(here, aside)) {
    throw new Error(`${codec.name}: here ${String(here)}, aside ${String(aside)}`);
  }
  return here;
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: string };
  if (code !== "CORRUPT_BATCH" && code !== "DECOMPRESSED_TOO_LARGE") throw error;
  return code;
}

function sameBytes(one: Uint8Array, other: Uint8Array | string): boolean {
  return typeof other !== "string" && Buffer.compare(one, other) === 0;
}
