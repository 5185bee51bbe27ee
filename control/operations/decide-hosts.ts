/** DecideHosts: what becomes of hosts whose agents do not know this store. Their agents do it; a decision that was made stays. */

import { type StoreDecision, storeDecisionSchema } from '../../core/host-protocol.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { clusterHosts, getHostCapacity } from '../store/hosts.ts';
import { setUnknownStore } from '../store/unknown-stores.ts';
import { wakeHosts } from '../tasks/assign.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { hostsMeant } from './host-references.ts';
import { hostViews } from './hosts.ts';
import { activeClusterName, failureOf } from './references.ts';

export const decideHosts: Handlers['DecideHosts'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const decision = storeDecisionSchema.safeParse(input.decision);
  if (!decision.success)
    throw parameterFault('decision', `decision must be adopt or discard; it is "${input.decision}".`);
  const { containerInstances: references } = input;
  if (references !== undefined) refuseTooMany('containerInstances', references);
  const named =
    references === undefined ? await allWaiting(deps, cluster) : await hostsMeant(deps, cluster, references);
  const decided: string[] = [];
  const failures: { arn: string; reason: string; detail?: string }[] = [];
  for (const { reference, id } of named) {
    const host = id === undefined ? undefined : await decide(deps, { cluster, hostId: id }, decision.data);
    const failure = (reason: string) => failureOf(deps, 'container-instance', cluster, reference, reason);
    if (host === undefined) failures.push(failure('MISSING'));
    else if (host.unknownStore === undefined) failures.push({ ...failure('KNOWN_STORE'), detail: knows(host) });
    else decided.push(host.hostId);
  }
  await wakeHosts(deps, decided);
  const views = await hostViews(deps, cluster, [...new Set(decided)]);
  return { containerInstances: views.map(({ view }) => view), failures };
};

const knows = ({ name }: HostCapacity): string =>
  `The agent of ${name} knows this store, or has not said yet that it does not: there is nothing to decide.`;

async function allWaiting({ table }: ControlDeps, cluster: string) {
  const hosts = await clusterHosts(table, cluster);
  return hosts
    .filter(({ status, unknownStore }) => status !== 'INACTIVE' && unknownStore !== undefined)
    .map(({ hostId }) => ({ reference: hostId, id: hostId }));
}

/** Answers the host as it is then: without `unknownStore` where there is nothing to decide. */
async function decide(
  deps: ControlDeps,
  { cluster, hostId }: { readonly cluster: string; readonly hostId: string },
  decision: StoreDecision,
): Promise<HostCapacity | undefined> {
  const { host } = await attempt(deps, { most: 20, what: `host ${hostId}` }, async () => {
    const seen = await getHostCapacity(deps.table, cluster, hostId);
    if (seen === undefined || seen.status === 'INACTIVE') return { host: undefined };
    if (seen.unknownStore === undefined || seen.unknownStore.decision === decision) return { host: seen };
    const unknownStore = { ...seen.unknownStore, decision };
    const { outcome } = await deps.table.commit([setUnknownStore(seen, unknownStore)]);
    return outcome === 'done' ? { host: { ...seen, unknownStore } } : undefined;
  });
  return host;
}
