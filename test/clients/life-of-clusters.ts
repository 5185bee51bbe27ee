/** The part of the path that is about clusters and capacity providers. */
import { expect, it } from 'vitest';
import { arn, cluster, type Life, none } from './life.ts';

const tags = [{ key: 'team', value: 'a' }];

export function lifeOfClusters(life: () => Life): void {
  it('makes, describes, lists and changes clusters', async () => {
    expect(await life().call('CreateCluster', { clusterName: 'made', tags })).toMatchObject({
      cluster: { clusterName: 'made', status: 'ACTIVE', tags },
    });
    expect(await life().list('ListClusters')).toMatchObject({
      clusterArns: [arn('cluster/default'), arn('cluster/life'), arn('cluster/made')],
    });
    expect(
      await life().call('UpdateCluster', {
        cluster,
        configuration: { executeCommandConfiguration: { logging: 'NONE' } },
      }),
    ).toMatchObject({ cluster: { configuration: { executeCommandConfiguration: { logging: 'NONE' } } } });
    const settings = [{ name: 'containerInsights', value: 'disabled' }];
    expect(await life().call('UpdateClusterSettings', { cluster, settings })).toMatchObject({ cluster: { settings } });
    expect(
      await life().call('DescribeClusters', {
        clusters: [cluster, 'made', 'nowhere'],
        include: ['TAGS', 'SETTINGS', 'STATISTICS'],
      }),
    ).toMatchObject({
      clusters: [
        { clusterArn: arn('cluster/life'), settings, registeredContainerInstancesCount: 1 },
        { clusterArn: arn('cluster/made'), tags },
      ],
      failures: [{ arn: arn('cluster/nowhere'), reason: 'MISSING' }],
    });
  });

  it('makes, changes, describes and deletes a capacity provider', async () => {
    const autoScalingGroupArn = `arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:${none}:autoScalingGroupName/group`;
    const managedScaling = { status: 'DISABLED' };
    expect(
      await life().call('CreateCapacityProvider', {
        name: 'group',
        autoScalingGroupProvider: { autoScalingGroupArn, managedScaling },
        tags,
      }),
    ).toMatchObject({ capacityProvider: { name: 'group', status: 'ACTIVE' } });
    const strategy = [{ capacityProvider: 'group', weight: 1, base: 0 }];
    expect(
      await life().call('PutClusterCapacityProviders', {
        cluster,
        capacityProviders: ['group'],
        defaultCapacityProviderStrategy: strategy,
      }),
    ).toMatchObject({ cluster: { capacityProviders: ['group'], defaultCapacityProviderStrategy: strategy } });
    expect((await life().refusalOf('DeleteCapacityProvider', { capacityProvider: 'group' })).code).toBe(
      'ClientException',
    );
    await life().call('UpdateCapacityProvider', {
      name: 'group',
      autoScalingGroupProvider: { managedScaling, managedTerminationProtection: 'DISABLED' },
    });
    expect(
      await life().call('DescribeCapacityProviders', { capacityProviders: ['group', 'none'], include: ['TAGS'] }),
    ).toMatchObject({
      capacityProviders: [{ tags, updateStatus: 'UPDATE_COMPLETE', autoScalingGroupProvider: { autoScalingGroupArn } }],
      failures: [{ reason: 'MISSING' }],
    });
    await life().call('PutClusterCapacityProviders', {
      cluster,
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    });
    expect(await life().call('DeleteCapacityProvider', { capacityProvider: 'group' })).toMatchObject({
      capacityProvider: { status: 'INACTIVE' },
    });
  });
}
