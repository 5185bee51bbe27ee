/** memberOf: whether expressions are true of a host. Each is read once, for as long as the request or task is there that names it. */
import type { HostCapacity } from '../model/host.ts';
import type { MemberOf } from '../model/placement-constraint.ts';
import type { PlacementNeeds } from '../model/task.ts';
import { type HostQuery, hostQuery } from '../query/host-query.ts';

export const zoneAttribute = 'ecs.availability-zone';

const queries = new WeakMap<MemberOf, HostQuery>();

export function queryOf(constraint: MemberOf): HostQuery {
  const known = queries.get(constraint);
  if (known !== undefined) return known;
  const query = hostQuery(constraint.expression);
  queries.set(constraint, query);
  return query;
}

export const memberOfs = ({ constraints }: PlacementNeeds): MemberOf[] =>
  constraints.filter((constraint) => constraint.type === 'memberOf');

/** The first that is not true of the host. */
export function failedMemberOf(host: HostCapacity, { constraints }: PlacementNeeds): MemberOf | undefined {
  for (const constraint of constraints)
    if (constraint.type === 'memberOf' && !isMember(host, queryOf(constraint))) return constraint;
  return undefined;
}

/** Of a host that may come to be in several zones, what is true in each of them. */
function isMember(host: HostCapacity, query: HostQuery): boolean {
  if (host.zones === undefined || !query.attributes.includes(zoneAttribute)) return query.matches(host);
  return host.zones.every((zone) => query.matches(inZone(host, zone)));
}

export const inZone = (host: HostCapacity, zone: string): HostCapacity => ({
  ...host,
  attributes: { ...host.attributes, [zoneAttribute]: zone },
});

/** Where placing one task may change where others go. */
export const looksAtTasks = (needs: PlacementNeeds): boolean =>
  memberOfs(needs).some((constraint) => queryOf(constraint).looksAtTasks);

/** Where a change of a host's attributes may change whether a task belongs there. */
export const looksAtAttributes = (needs: PlacementNeeds): boolean =>
  memberOfs(needs).some((constraint) => queryOf(constraint).attributes.length > 0);

const mostShown = 120;

export const shownExpression = (expression: string): string =>
  expression.length > mostShown ? `${expression.slice(0, mostShown)}…` : expression;
