/** GetHostImages: what a host itself says, now. Nothing of it is stored. */
import { taskArn } from '../../core/arn.ts';
import type { Handlers } from './context.ts';
import { getHost } from './hosts.ts';
import { activeClusterName } from './references.ts';

/** A gateway would end the request at 30 s. */
const patienceMs = 10_000;

export const getHostImages: Handlers['GetHostImages'] = async (context, input) => {
  const { deps } = context;
  const cluster = await activeClusterName(deps, input.cluster);
  const { host } = await getHost(context, { cluster, host: input.host });
  const hostId = host.containerInstanceArn.slice(host.containerInstanceArn.lastIndexOf('/') + 1);
  const images = await deps.hostImages.images(hostId, AbortSignal.timeout(patienceMs));
  return {
    images: images.map(({ taskIds, lastUsedAt, ...image }) => ({
      ...image,
      ...(lastUsedAt === undefined ? {} : { lastUsedAt: new Date(lastUsedAt) }),
      taskArns: taskIds.map((taskId) => taskArn(deps.realm, cluster, taskId)),
    })),
  };
};
