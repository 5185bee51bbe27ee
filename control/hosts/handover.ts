/**
 * Hosts whose agents do not know this store: it was restored, or put back from a backup. Until somebody decides they keep what they
 * run and are given nothing. Then what this store has of such a host and the host has not is over (it may have run, and never runs again);
 * and what the host has and this store does not is taken over, or left to the agent to end. Everything may be repeated.
 */
import { isDeepStrictEqual } from 'node:util';
import { GantryError } from '../../core/errors.ts';
import type { HandoverRequest, HandoverResponse } from '../../core/host-protocol.ts';
import type { HostCapacity, HostIdentity } from '../../core/model/host.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getHostCapacity, hostTasks } from '../store/hosts.ts';
import { getTasks } from '../store/tasks.ts';
import { setUnknownStore } from '../store/unknown-stores.ts';
import { adoptTasks } from './adopt.ts';
import { endHostTasks } from './end-tasks.ts';

export async function takeHandover(
  deps: ControlDeps,
  identity: HostIdentity,
  request: HandoverRequest,
): Promise<HandoverResponse> {
  if (request.storeEpoch !== deps.storeEpoch) {
    throw new GantryError('ConflictException', 'The handover is for another store epoch.', {
      field: 'storeEpoch',
      hint: 'Fetch the desired set anew: this store has another epoch by now.',
    });
  }
  const had = new Set(request.taskIds);
  const host = await attempt(deps, { most: 20, what: `the host ${identity.name}` }, () => note(deps, identity, had));
  // Somebody has ended it: nothing is desired of it, and its agent ends what runs.
  if (host === 'retired') return { decision: 'discard', unknown: [] };
  const decision = host.unknownStore?.decision;
  if (decision === undefined) return { unknown: [] };
  const { missing } = await differences(deps, identity, had);
  await endHostTasks(deps, identity, missing, {
    at: deps.clock.now(),
    stopCode: 'InfrastructureHealth',
    reason: `NotOnHost: ${identity.name} has nothing of it, after the store was put back`,
    replaces: true,
  });
  if (decision === 'discard') return { decision, unknown: [] };
  await adoptTasks(deps, identity, request.tasks);
  return { decision, unknown: [...(await differences(deps, identity, had)).unknown] };
}

interface Differences {
  /** The host has them, and this store knows nothing of them. */
  readonly unknown: readonly string[];
  /** This store has them of the host, and the host has not. */
  readonly missing: readonly string[];
}

async function differences(
  { table }: ControlDeps,
  { hostId }: HostIdentity,
  had: ReadonlySet<string>,
): Promise<Differences> {
  const known = new Set((await hostTasks(table, hostId)).map(({ taskId }) => taskId));
  const others = [...had].filter((taskId) => !known.has(taskId));
  // One that is over here is told so to the agent by the answer to its report.
  const over = await getTasks(table, others);
  return {
    unknown: others.filter((taskId) => !over.has(taskId)),
    missing: [...known].filter((taskId) => !had.has(taskId)),
  };
}

/** That it waits, and for what: shown to whoever decides. Nothing is placed on it from here on. */
async function note(
  deps: ControlDeps,
  identity: HostIdentity,
  had: ReadonlySet<string>,
): Promise<HostCapacity | 'retired' | undefined> {
  const { cluster, hostId, name } = identity;
  const host = await getHostCapacity(deps.table, cluster, hostId);
  if (identity.retired !== undefined || host === undefined || host.status === 'INACTIVE') return 'retired';
  const { unknownStore: seen } = host;
  if (seen?.decision !== undefined) return host;
  const { unknown, missing } = await differences(deps, identity, had);
  const counts = { tasks: had.size, unknown: unknown.length, missing: missing.length };
  if (seen !== undefined && isDeepStrictEqual(seen, { since: seen.since, ...counts })) return host;
  const unknownStore = { since: seen?.since ?? deps.clock.now(), ...counts };
  const { outcome } = await deps.table.commit([setUnknownStore(host, unknownStore)]);
  if (outcome !== 'done') return undefined;
  const next = { ...host, unknownStore, reportedEpoch: 0 };
  deps.capacity.learned(next);
  if (seen === undefined)
    deps.log.warn(
      { hostId, host: name, cluster, ...counts },
      'the agent of a host does not know this store, and waits',
    );
  return next;
}
