/** What became of something awaited. `late`: it goes on, longer than anybody should wait. `died`: its process did. */
export type Outcome<T> =
  | { readonly tag: "ok"; readonly value: T }
  | { readonly tag: "failed"; readonly error: unknown }
  | { readonly tag: "late" }
  | { readonly tag: "died" };
