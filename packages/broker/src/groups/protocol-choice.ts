import type { Group, Member, MemberProtocol } from "./group.ts";

/** Names that every one of the members supports. */
function commonProtocols(members: Iterable<Member>): ReadonlySet<string> {
  let common: Set<string> | undefined;
  for (const { protocols } of members) {
    const names = new Set(protocols.map(({ name }) => name));
    common = common === undefined ? names : new Set([...common].filter((name) => names.has(name)));
  }
  return common ?? new Set();
}

/** Whether a member with these protocols could be in the group beside the others. */
export function fitsProtocols(
  group: Group,
  memberId: string,
  protocolType: string,
  protocols: readonly MemberProtocol[],
): boolean {
  if (protocolType === "" || protocols.length === 0) return false;
  if (group.members.size === 0) return true;
  if (protocolType !== group.protocolType) return false;
  const others = [...group.members.values()].filter((member) => member.memberId !== memberId);
  if (others.length === 0) return true;
  const common = commonProtocols(others);
  return protocols.some(({ name }) => common.has(name));
}

/** The one with the most votes of those that all support: each member votes for the first of its own. undefined: there is none. */
export function chooseProtocol(members: ReadonlyMap<string, Member>): string | undefined {
  const common = commonProtocols(members.values());
  const votes = new Map<string, number>();
  for (const { protocols } of members.values()) {
    const vote = protocols.find(({ name }) => common.has(name))?.name;
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
  }
  let chosen: string | undefined;
  for (const [name, count] of votes) {
    if (chosen === undefined || count > (votes.get(chosen) ?? 0)) chosen = name;
  }
  return chosen;
}

export function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, at) => {
      const other = b[at];
      return other !== undefined && other.name === name && sameBytes(metadata, other.metadata);
    })
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
