import { MessageCodec } from "./codec/message-codec.ts";
import type { Fields, Versions } from "./schema/field.ts";
import type { InputOf, MessageOf } from "./schema/message.ts";
import { includesVersion, parseVersions } from "./schema/versions.ts";
import type { VersionRange } from "./schema/versions.ts";

/** A request and its response, as data. */
export interface ApiSpec {
  readonly key: number;
  readonly name: string;
  /** Versions that can be encoded and decoded; which of them a broker advertises is its own business. */
  readonly versions: Versions;
  /** First version with compact lengths and tag sections. */
  readonly flexibleFrom: number;
  /** Set when the response header is v0 also in flexible versions. */
  readonly responseHeader?: 0;
  readonly request: Fields;
  readonly response: Fields;
}

export interface Api<Spec extends ApiSpec> {
  readonly key: Spec["key"];
  readonly name: Spec["name"];
  readonly versions: VersionRange;
  readonly request: MessageCodec<RequestOf<Spec>, RequestInput<Spec>>;
  readonly response: MessageCodec<ResponseOf<Spec>, ResponseInput<Spec>>;
  supports(version: number): boolean;
  requestHeaderVersion(version: number): RequestHeaderVersion;
  responseHeaderVersion(version: number): ResponseHeaderVersion;
}

/** An API of which only the key is known: messages decode to `unknown`, and are encoded after a check of the caller's own. */
export interface AnyApi {
  readonly key: number;
  readonly name: string;
  readonly versions: VersionRange;
  readonly request: MessageCodec<unknown, never>;
  readonly response: MessageCodec<unknown, never>;
  supports(version: number): boolean;
  requestHeaderVersion(version: number): RequestHeaderVersion;
  responseHeaderVersion(version: number): ResponseHeaderVersion;
}

/** 2 has a tag section. (0 went with ControlledShutdown.) */
export type RequestHeaderVersion = 1 | 2;

/** 1 has a tag section. */
export type ResponseHeaderVersion = 0 | 1;

export type RequestOf<Spec extends ApiSpec> = MessageOf<Spec["request"]>;
export type RequestInput<Spec extends ApiSpec> = InputOf<Spec["request"]>;
export type ResponseOf<Spec extends ApiSpec> = MessageOf<Spec["response"]>;
export type ResponseInput<Spec extends ApiSpec> = InputOf<Spec["response"]>;

export function defineApi<const Spec extends ApiSpec>(spec: Spec): Api<Spec> {
  const versions = parseVersions(spec.versions);
  const { flexibleFrom } = spec;
  return {
    key: spec.key,
    name: spec.name,
    versions,
    request: new MessageCodec({
      name: `${spec.name}Request`,
      fields: spec.request,
      versions,
      flexibleFrom,
    }),
    response: new MessageCodec({
      name: `${spec.name}Response`,
      fields: spec.response,
      versions,
      flexibleFrom,
    }),
    supports: (version) => includesVersion(versions, version),
    requestHeaderVersion: (version) => (version >= flexibleFrom ? 2 : 1),
    responseHeaderVersion: (version) =>
      version >= flexibleFrom && spec.responseHeader !== 0 ? 1 : 0,
  };
}
