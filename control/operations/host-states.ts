/** UpdateContainerInstancesState, DeregisterContainerInstance, UpdateContainerAgent. */
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import { changeStatus } from '../hosts/drain.ts';
import { type Retirement, retireHost } from '../hosts/retire.ts';
import { wakeHosts } from '../tasks/assign.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { hostIdMeant, hostsMeant } from './host-references.ts';
import { hostViews } from './hosts.ts';
import { activeClusterName, failureOf } from './references.ts';

/** ECS' own limit. */
const mostHosts = 10;

export const updateContainerInstancesState: Handlers['UpdateContainerInstancesState'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { status, containerInstances: references } = input;
  if (status !== 'ACTIVE' && status !== 'DRAINING') {
    const message = 'Container instance status should be one of [ACTIVE, DRAINING]';
    throw new GantryError('InvalidParameterException', message, { field: 'status' });
  }
  if (references.length === 0) {
    throw new GantryError('InvalidParameterException', 'Container Instances cannot be empty.', {
      field: 'containerInstances',
    });
  }
  refuseTooMany('containerInstances', references, mostHosts);
  const changed: string[] = [];
  const failures: { arn: string; reason: string }[] = [];
  for (const { reference, id: hostId } of await hostsMeant(deps, cluster, references)) {
    const host = hostId === undefined ? undefined : await changeStatus(deps, { cluster, hostId }, status);
    if (host === undefined) failures.push(failureOf(deps, 'container-instance', cluster, reference, 'MISSING'));
    else changed.push(host.hostId);
  }
  const views = await hostViews(deps, cluster, [...new Set(changed)]);
  return { containerInstances: views.map(({ view }) => view), failures };
};

/**
 * ECS leaves the containers of a forced deregistration running. Here someone has asked for the end of the host: where its agent still
 * lives it stops what runs, so that nothing runs that nobody accounts for.
 */
export const deregisterContainerInstance: Handlers['DeregisterContainerInstance'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { force = false } = input;
  const found = await existingHost(deps, cluster, input.containerInstance);
  const hostId = found.id;
  await retireHost(deps, hostId, force ? forced : { ...idle, onlyIdle: true });
  const [after = found] = await hostViews(deps, cluster, [hostId]);
  await wakeHosts(deps, [hostId]);
  return { containerInstance: after.view };
};

/** On EC2 the host's updater, on one machine whoever starts `gantry up`, gives the agent its release; the API never does. */
export const updateContainerAgent: Handlers['UpdateContainerAgent'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const { view } = await existingHost(deps, cluster, input.containerInstance);
  throw new GantryError(
    'NoUpdateAvailableException',
    `There is no update available for the agent of ${view.hostName}, which is ${view.versionInfo.agentVersion}.`,
    { hint: 'An agent follows the release that its machine is given: upgrade Gantry, and hosts follow by themselves.' },
  );
};

async function existingHost(deps: ControlDeps, cluster: string, reference: string) {
  const hostId = await hostIdMeant(deps, cluster, reference);
  const [found] = hostId === undefined ? [] : await hostViews(deps, cluster, [hostId]);
  if (found !== undefined) return found;
  throw new GantryError('InvalidParameterException', 'The referenced container instance was not found.', {
    field: 'containerInstance',
    hint: 'ListContainerInstances shows which there are.',
  });
}

const forced: Retirement = { reason: 'Container instance deregistration forced by user', stopCode: 'UserInitiated' };
const idle: Retirement = { reason: 'Container instance deregistered by user', stopCode: 'UserInitiated' };
