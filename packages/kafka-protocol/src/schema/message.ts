import type { Fields, PrimitiveName, Primitives } from "./field.ts";

type Null<F> = F extends { readonly nullable: unknown } ? null : never;

type Value<F> = F extends { readonly type: infer P extends PrimitiveName }
  ? Primitives[P]
  : F extends { readonly array: infer P extends PrimitiveName }
    ? readonly Primitives[P][]
    : F extends { readonly array: infer S extends Fields }
      ? readonly MessageOf<S>[]
      : F extends { readonly struct: infer S extends Fields }
        ? MessageOf<S>
        : never;

/** What decoding gives: every field of every version; those that the version lacks have their defaults. */
export type MessageOf<S extends Fields> = {
  readonly [F in S[number] as F["name"]]: Value<F> | Null<F>;
};

type OptionalField =
  | { readonly default: unknown }
  | { readonly versions: unknown }
  | { readonly tag: unknown };

type InputValue<F> = F extends { readonly type: "records" }
  ? Uint8Array | readonly Uint8Array[]
  : F extends { readonly array: infer S extends Fields }
    ? readonly InputOf<S>[]
    : F extends { readonly struct: infer S extends Fields }
      ? InputOf<S>
      : Value<F>;

/**
 * What encoding takes. Fields with a default, and those that not every version has, may be left out. Every decoded message is an
 * input of its version.
 */
export type InputOf<S extends Fields> = {
  readonly [F in Exclude<S[number], OptionalField> as F["name"]]: InputValue<F> | Null<F>;
} & {
  readonly [F in Extract<S[number], OptionalField> as F["name"]]?:
    | InputValue<F>
    | Null<F>
    | undefined;
};
