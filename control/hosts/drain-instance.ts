/**
 * Begins to empty hosts: because their machine is going to be taken away (a spot interruption, a retirement of the hardware), or because
 * they are not needed if their tasks move. What follows is drain-step.ts.
 */
import type { HostCapacity, HostIdentity } from '../../core/model/host.ts';
import type { StopCode } from '../../core/model/task.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { type Drain, getDrain, putDrain } from '../store/drains.ts';
import { setStatus } from '../store/host-states.ts';
import { getHostCapacity, hostIdByName } from '../store/hosts.ts';
import { getInstance } from '../store/instances.ts';
import { drainStep } from './drain-step.ts';
import { dismissInstances } from './instances.ts';

/** Of emptying a host at once: others (a report, somebody's stop) may be quicker with some task of it. The loop carries on. */
const mostSteps = 5;

export interface InstanceNotice {
  /**
   * When the stopping of its tasks begins, in time for them to end before the machine does (epoch milliseconds). Absent: the machine may
   * as well stay (a rebalance recommendation); what may be replaced moves, and nothing else is stopped.
   */
  readonly deadline?: number;
  readonly stopCode: StopCode;
  /** For people and for the tasks: a sentence. */
  readonly reason: string;
}

/**
 * The instance is going to be taken away: nothing more is placed on its host, and successors of what may be replaced start, before this
 * resolves. One that is no host yet becomes none. Answers whether the instance was known. May be repeated, and be told in several ways:
 * the earliest deadline counts, with its reason.
 */
export async function drainInstance(deps: ControlDeps, instanceId: string, notice: InstanceNotice): Promise<boolean> {
  const instance = await getInstance(deps.table, instanceId);
  if (instance === undefined) return false;
  const { cluster } = instance;
  const hostId = instance.hostId ?? (await hostIdByName(deps.table, cluster, instanceId));
  if (hostId === undefined) {
    await dismissInstances(deps, cluster, [instanceId]);
    deps.log.warn({ instanceId, cluster, reason: notice.reason }, 'an instance goes before it has become a host');
    deps.activate('buy-capacity', cluster);
    return true;
  }
  await drainNoticed(deps, { cluster, hostId }, notice);
  return true;
}

/** The same of a host, whatever admitted it. */
export async function drainNoticed(
  deps: ControlDeps,
  { cluster, hostId }: Pick<HostIdentity, 'cluster' | 'hostId'>,
  notice: InstanceNotice,
): Promise<void> {
  const drain = await attempt(deps, { most: 20, what: `host ${hostId}` }, async () =>
    begin(deps, cluster, hostId, notice),
  );
  if (drain === 'gone') return;
  deps.log.warn(drain, 'a host is drained, as its machine goes');
  for (let steps = 0; steps < mostSteps; steps += 1) if ((await drainStep(deps, drain)).behind === 0) break;
  for (const loop of ['drain-hosts', 'buy-capacity'] as const) deps.activate(loop, cluster);
}

/** Undefined where somebody was quicker. */
async function begin(
  deps: ControlDeps,
  cluster: string,
  hostId: string,
  notice: InstanceNotice,
): Promise<Drain | 'gone' | undefined> {
  const host = await getHostCapacity(deps.table, cluster, hostId);
  if (host === undefined || host.status === 'INACTIVE') return 'gone';
  const known = await getDrain(deps.table, cluster, hostId);
  const drain = inForce(known, { cluster, hostId, purpose: 'notice', ...notice, startedAt: deps.clock.now() });
  if (drain === known && host.status === 'DRAINING') return known;
  const { outcome } = await deps.table.commit([
    putDrain(drain, known),
    ...(host.status === 'DRAINING' ? [] : [setStatus(host, 'DRAINING')]),
  ]);
  if (outcome !== 'done') return undefined;
  deps.capacity.learned({ ...host, status: 'DRAINING' });
  return drain;
}

function inForce(known: Drain | undefined, told: Drain): Drain {
  if (known?.purpose !== 'notice') return told;
  const { deadline = Infinity } = told;
  return deadline < (known.deadline ?? Infinity) ? told : known;
}

/** The host is not needed if its tasks move. Answers whether it is still as it was seen: only then it is drained. */
export async function drainForConsolidation(
  deps: ControlDeps,
  host: HostCapacity,
  {
    why,
    deadline,
    giveUpAt,
  }: { readonly why: string; readonly deadline: number | undefined; readonly giveUpAt: number },
): Promise<boolean> {
  const { cluster, hostId } = host;
  const drain: Drain = {
    cluster,
    hostId,
    purpose: 'consolidation',
    ...(deadline === undefined ? {} : { deadline }),
    giveUpAt,
    stopCode: 'TerminationNotice',
    reason: `The host ${host.name} is taken away: ${why}.`,
    startedAt: deps.clock.now(),
  };
  const { outcome } = await deps.table.commit([
    setStatus(host, 'DRAINING', { asSeen: true }),
    putDrain(drain, await getDrain(deps.table, cluster, hostId)),
  ]);
  if (outcome !== 'done') return false;
  deps.capacity.learned({ ...host, status: 'DRAINING' });
  deps.activate('drain-hosts', cluster);
  return true;
}
