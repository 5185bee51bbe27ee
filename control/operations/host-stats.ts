/** GetHostStats: what a host itself says, now. Nothing of it is stored, and nothing is read while nobody asks. */
import { taskArn, taskDefinitionArn } from '../../core/arn.ts';
import { statsOfHost } from '../hosts/stats-of-host.ts';
import type { Handlers } from './context.ts';
import { getHost } from './hosts.ts';
import { activeClusterName } from './references.ts';

/** A gateway would end the request at 30 s. */
const patienceMs = 10_000;

export const getHostStats: Handlers['GetHostStats'] = async (context, input) => {
  const { deps } = context;
  const cluster = await activeClusterName(deps, input.cluster);
  const { host } = await getHost(context, { cluster, host: input.host });
  const hostId = host.containerInstanceArn.slice(host.containerInstanceArn.lastIndexOf('/') + 1);
  const containers = await statsOfHost(deps, hostId, AbortSignal.timeout(patienceMs));
  return {
    containers: containers.map(({ task: { taskId, family, revision }, container, stats: { at, ...stats } }) => ({
      taskArn: taskArn(deps.realm, cluster, taskId),
      taskDefinitionArn: taskDefinitionArn(deps.realm, family, revision),
      name: container,
      readAt: new Date(at),
      ...stats,
    })),
  };
};
