/**
 * Ends hosts for good: because their instance is gone, or because an operator says so. First nothing more can be placed on the host (its
 * capacity is INACTIVE, under a new epoch); then each of its tasks gets a verdict and gives back what it held, exactly once. May be
 * repeated at every point: what was begun is carried on with the reason that was given first, by the next caller or by the loop that
 * buries hosts. A late report of such a host changes nothing but history.
 */
import { createHash } from 'node:crypto';
import { GantryError } from '../../core/errors.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { StopCode } from '../../core/model/task.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { setInactive } from '../store/host-states.ts';
import { getHostCapacity, getHostIdentity, hostTasks, retireIdentity } from '../store/hosts.ts';
import { getInstance, removeInstance } from '../store/instances.ts';
import { endHostTasks } from './end-tasks.ts';

export interface Retirement {
  /** For people and for the tasks: a sentence. */
  readonly reason: string;
  readonly stopCode: StopCode;
  /** Refuse where the host has tasks. */
  readonly onlyIdle?: boolean;
  /** False where what it runs is to end with it, whatever may be replaced. */
  readonly replaces?: boolean;
}

/** Answers the host as it is then; undefined where there is none. Throws InvalidParameterException where it must be idle and is not. */
export async function retireHost(
  deps: ControlDeps,
  hostId: string,
  retirement: Retirement,
): Promise<HostIdentity | undefined> {
  const host = await attempt(deps, { most: 20, what: `host ${hostId}` }, async () => {
    const identity = await getHostIdentity(deps.table, hostId);
    if (identity === undefined) return { identity };
    return identity.retired === undefined ? await makeInactive(deps, identity, retirement) : { identity };
  });
  if (host.identity === undefined) return undefined;
  await endTasks(deps, host.identity);
  return host.identity;
}

async function makeInactive(
  deps: ControlDeps,
  identity: HostIdentity,
  { reason, stopCode, onlyIdle = false, replaces = true }: Retirement,
): Promise<{ identity: HostIdentity } | undefined> {
  const { cluster, hostId, publicKey } = identity;
  const capacity = await getHostCapacity(deps.table, cluster, hostId);
  if (capacity === undefined) throw new Error(`host ${hostId} has no capacity item`);
  if (onlyIdle && capacity.taskCount > 0) {
    throw new GantryError('InvalidParameterException', 'Found running tasks on the instance.', {
      field: 'containerInstance',
      hint: 'Drain the host and wait for its tasks, or use force: then they are stopped.',
    });
  }
  const at = deps.clock.now();
  const retired = { at, reason, stopCode, ...(!replaces && { replaces }) };
  const keyDigest = createHash('sha256').update(publicKey).digest('hex');
  const { outcome } = await deps.table.commit([
    setInactive(capacity, at, { onlyIdle }),
    ...retireIdentity(identity, keyDigest, retired, deps.settings.retentionSeconds),
  ]);
  if (outcome !== 'done') return undefined;
  const inactive = { status: 'INACTIVE', connected: false, connectedChangedAt: at, epoch: capacity.epoch + 1 } as const;
  deps.capacity.learned({ ...capacity, ...inactive });
  deps.recent.hostChanged(hostId);
  deps.log.warn({ hostId, host: identity.name, cluster, reason }, 'a host was retired');
  deps.activate('buy-capacity', cluster);
  return { identity: { ...identity, retired, version: identity.version + 1 } };
}

/** Only of a host that is INACTIVE, so that no task is added meanwhile. */
async function endTasks(deps: ControlDeps, host: HostIdentity): Promise<void> {
  if (host.retired === undefined) return;
  const taskIds = (await hostTasks(deps.table, host.hostId)).map(({ taskId }) => taskId);
  await endHostTasks(deps, host, taskIds, host.retired);
}

/** What ECS says of the tasks of an instance that is gone. */
export const instanceGone = (instanceId: string, how: 'terminated' | 'stopped'): string =>
  `Host EC2 (instance ${instanceId}) ${how}.`;

/**
 * The instance is gone for good: its host is retired, and it is not admitted any more. Answers whether it was known. Its name is free and
 * everything is done when this resolves; where it throws, call it again.
 */
export async function retireInstance(
  deps: ControlDeps,
  instanceId: string,
  reason: string,
  stopCode: StopCode = 'TerminationNotice',
): Promise<boolean> {
  return attempt(deps, { most: 10, what: `the instance ${instanceId}` }, async () => {
    const instance = await getInstance(deps.table, instanceId);
    if (instance === undefined) return false;
    if (instance.hostId !== undefined) await retireHost(deps, instance.hostId, { reason, stopCode });
    // Last: as long as the item is there, whoever looks knows that there is something to end.
    const { outcome } = await deps.table.commit([removeInstance(instance)]);
    return outcome === 'done' ? true : undefined;
  });
}
