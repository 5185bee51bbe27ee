/** Hosts and instances that have nothing to do, and when others will have had nothing to do for long enough. */
import { formatDuration } from '../../text.ts';
import { isStarting, type OnOrder } from './on-order.ts';
import type { CapacityInput, OwnedHost, Termination } from './types.ts';

export interface Going {
  readonly terminations: readonly Termination[];
  /** Hosts among them. */
  readonly leaving: ReadonlySet<string>;
  /** When more may go. */
  readonly at: readonly number[];
}

/** `used`: hosts on which a waiting task is about to be placed. */
export function whatGoes(input: CapacityInput, onOrder: OnOrder, used: ReadonlySet<string>): Going {
  const { now, hosts, policy, limits } = input;
  const unheard = onOrder.overdue.map((instance) => ({
    instanceId: instance.instanceId,
    hostId: undefined,
    why: `${instance.offer} ${instance.instanceId} has not joined within ${formatDuration(policy.joinSeconds * 1000)} of its launch`,
  }));
  const gone = hosts.flatMap((owned) => {
    const why = whyGone(owned, input);
    return why === undefined ? [] : [ending(owned, why)];
  });
  const leaving = new Set(gone.map(({ hostId }) => hostId));
  const staying = hosts.filter(({ host }) => host.status === 'ACTIVE' && !leaving.has(host.hostId));
  const idle: Termination[] = [];
  const at: number[] = [];
  let spare = staying.length - limits.minHosts;
  for (const owned of policy.consolidation === 'off' ? [] : staying.filter(isEmpty).sort(dearestFirst)) {
    if (spare <= 0 || isStarting(owned.host)) continue;
    if (used.has(owned.host.hostId)) continue;
    const emptySince = owned.emptySince ?? now;
    const until = emptySince + policy.idleSeconds * 1000;
    spare -= 1;
    if (until > now) at.push(until);
    else
      idle.push(ending(owned, `${owned.host.name} has had no task for ${formatDuration(policy.idleSeconds * 1000)}`));
  }
  const terminations = [...unheard, ...gone, ...idle];
  return { terminations, leaving: new Set(terminations.flatMap(({ hostId }) => hostId ?? [])), at };
}

const ending = ({ host, instanceId }: OwnedHost, why: string): Termination & { readonly hostId: string } => ({
  instanceId,
  hostId: host.hostId,
  why,
});

/** What has no reason to stay whatever the policy. */
function whyGone({ host, tasks, joinedAt }: OwnedHost, { now, policy }: CapacityInput): string | undefined {
  const empty = tasks.length === 0 && host.taskCount === 0;
  if (host.status === 'INACTIVE') return `${host.name} is no host any more`;
  if (host.status === 'DRAINING') return empty ? `${host.name} is drained` : undefined;
  if (isStarting(host) && empty && joinedAt + policy.joinSeconds * 1000 <= now)
    return `${host.name} has joined and not reported within ${formatDuration(policy.joinSeconds * 1000)}`;
  return undefined;
}

const isEmpty = ({ host, tasks, emptySince }: OwnedHost): boolean =>
  emptySince !== undefined && tasks.length === 0 && host.taskCount === 0;

/** Of those that cost the same, the longest empty. */
const dearestFirst = (a: OwnedHost, b: OwnedHost): number =>
  b.hourlyUsd - a.hourlyUsd || (a.emptySince ?? 0) - (b.emptySince ?? 0) || (a.instanceId < b.instanceId ? -1 : 1);
