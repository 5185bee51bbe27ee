/** A capacity provider as clients see it: ECS' shape, and what follows from it for Gantry. Pure. */
import type { CapacityProviderView } from '../../../core/api/capacity-providers.ts';
import { capacityProviderArn, clusterArn, type Realm } from '../../../core/arn.ts';
import { compact } from '../../../core/compact.ts';
import type { CapacityProvider } from '../../../core/model/capacity.ts';

export function capacityProviderView(realm: Realm, provider: CapacityProvider): CapacityProviderView {
  const { name, cluster, status, configuration, tags, offers, limits, policy, updatedAt } = provider;
  const { autoScalingGroupProvider, managedInstancesProvider } = configuration;
  return compact({
    capacityProviderArn: capacityProviderArn(realm, name),
    name,
    cluster: cluster === undefined ? undefined : clusterArn(realm, cluster),
    status,
    updateStatus:
      status === 'INACTIVE' ? 'DELETE_COMPLETE' : updatedAt === undefined ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE',
    type:
      managedInstancesProvider !== undefined
        ? 'MANAGED_INSTANCES'
        : autoScalingGroupProvider !== undefined
          ? 'EC2_AUTOSCALING'
          : undefined,
    autoScalingGroupProvider,
    managedInstancesProvider,
    tags,
    gantry: { offers, limits, policy },
  } as const);
}
