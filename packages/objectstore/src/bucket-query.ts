import { editDistance } from "./edit-distance.ts";

/** What a root says of its bucket's server after a `?`; the rest comes from the environment. */
export interface BucketQuery {
  /** `http://127.0.0.1:9000`. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
  /** A file with PEM certificates of authorities to trust instead of the system's. */
  readonly ca?: string;
  readonly payload?: "signed" | "unsigned";
}

const NAMES = ["endpoint", "region", "pathStyle", "ca", "payload"] as const;

/** What a secret in a URL is called: URLs end up in logs. */
const SECRET = /key|secret|token|password/i;

/** @throws Error that says what is wrong; it quotes no value of what may be a secret. */
export function parseBucketQuery(text: string): BucketQuery {
  const query: Record<string, string | boolean> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (SECRET.test(name))
      throw new Error(
        `${name} is a secret, which no root holds: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN`,
      );
    const known = NAMES.find((each) => each === name);
    if (known === undefined) throw new Error(`the option '${name}' is unknown${hint(name)}`);
    if (Object.hasOwn(query, known)) throw new Error(`${known} is given twice`);
    query[known] = valueOf(known, value);
  }
  return query;
}

function valueOf(name: (typeof NAMES)[number], value: string): string | boolean {
  switch (name) {
    case "endpoint":
      if (/^https?:\/\/[^/?#@\s]+\/?$/.test(value)) return value;
      throw new Error("an endpoint is http://HOST:PORT or https://HOST:PORT");
    case "pathStyle":
      if (value === "true" || value === "false") return value === "true";
      throw new Error("pathStyle is true or false");
    case "payload":
      if (value === "signed" || value === "unsigned") return value;
      throw new Error("payload is signed or unsigned");
    case "region":
    case "ca":
      if (value !== "") return value;
      throw new Error(`${name} is empty`);
  }
}

function hint(name: string): string {
  const near = NAMES.find((known) => editDistance(known.toLowerCase(), name.toLowerCase()) <= 2);
  return near === undefined ? `: there are ${NAMES.join(", ")}` : `: is ${near} meant?`;
}
