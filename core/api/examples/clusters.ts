/** Examples: clusters, their hosts and capacity, in the order in which they can be made behind those of tasks. */
import type { Example } from './example.ts';

const host = '{{hosts:hosts.0.containerInstanceArn|id}}';

export const clusterExamples: readonly Example[] = [
  {
    name: 'create-provider',
    operation: 'CreateCapacityProvider',
    title: 'Buy Spot hosts of two kinds, for 20 US dollars an hour at most',
    isOurs: true,
    input: {
      name: 'spot',
      gantry: {
        offerNames: ['m7g.*', 'c7g.*'],
        limits: { maxHosts: 10, maxHourlyUsd: 20 },
        policy: { market: 'spot' },
      },
    },
  },
  {
    name: 'update-provider',
    operation: 'UpdateCapacityProvider',
    title: 'Allow more hosts',
    isOurs: true,
    input: { name: 'spot', gantry: { limits: { maxHosts: 20, maxHourlyUsd: 20 } } },
  },
  {
    name: 'providers',
    operation: 'DescribeCapacityProviders',
    title: 'By name',
    input: { capacityProviders: ['spot'] },
  },
  {
    name: 'create-cluster',
    operation: 'CreateCluster',
    title: 'A cluster whose tasks wait for hosts to be bought',
    input: {
      clusterName: 'batch',
      settings: [{ name: 'gantry:waitForCapacity', value: 'enabled' }],
      tags: [{ key: 'team', value: 'data' }],
    },
  },
  {
    name: 'cluster-providers',
    operation: 'PutClusterCapacityProviders',
    title: 'Say what its hosts are bought by',
    input: {
      cluster: 'batch',
      capacityProviders: ['spot'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'spot', weight: 1 }],
    },
  },
  { name: 'clusters', operation: 'ListClusters', title: 'All of them', input: {} },
  {
    name: 'describe-clusters',
    operation: 'DescribeClusters',
    title: 'With settings and tags',
    input: { clusters: ['batch'], include: ['SETTINGS', 'TAGS'] },
  },
  {
    name: 'update-cluster',
    operation: 'UpdateCluster',
    title: 'Change a setting, and leave the others',
    input: { cluster: 'batch', settings: [{ name: 'containerInsights', value: 'disabled' }] },
  },
  {
    name: 'cluster-settings',
    operation: 'UpdateClusterSettings',
    title: 'Let tasks with a launch type be refused again',
    input: { cluster: 'batch', settings: [{ name: 'gantry:waitForCapacity', value: 'disabled' }] },
  },
  { name: 'capacity', operation: 'GetCapacity', title: 'What there is, what is on order, what waits', input: {} },
  {
    name: 'cluster-no-providers',
    operation: 'PutClusterCapacityProviders',
    title: 'Take its providers away again',
    input: { cluster: 'batch', capacityProviders: [], defaultCapacityProviderStrategy: [] },
  },
  {
    name: 'delete-provider',
    operation: 'DeleteCapacityProvider',
    title: 'One that no cluster uses',
    input: { capacityProvider: 'spot' },
  },
  { name: 'delete-cluster', operation: 'DeleteCluster', title: 'One that is empty', input: { cluster: 'batch' } },
  {
    name: 'hosts',
    operation: 'GetHosts',
    title: 'Whole hosts that an expression chooses',
    input: { filter: 'attribute:stack == prod' },
  },
  { name: 'host', operation: 'GetHost', title: 'One by its name', input: { host: 'host-1' } },
  { name: 'host-images', operation: 'GetHostImages', title: 'What a host says', input: { host: 'host-1' } },
  {
    name: 'host-arns',
    operation: 'ListContainerInstances',
    title: 'ARNs of those that take tasks',
    input: { status: 'ACTIVE' },
  },
  {
    name: 'describe-hosts',
    operation: 'DescribeContainerInstances',
    title: 'By id, with tags',
    input: { containerInstances: [host], include: ['TAGS'] },
  },
  {
    name: 'put-attributes',
    operation: 'PutAttributes',
    title: 'Say something about a host that placement can ask for',
    input: { attributes: [{ name: 'disk', value: 'nvme', targetId: 'host-1' }] },
  },
  {
    name: 'attributes',
    operation: 'ListAttributes',
    title: 'Which hosts have it',
    input: { targetType: 'container-instance', attributeName: 'disk' },
  },
  {
    name: 'delete-attributes',
    operation: 'DeleteAttributes',
    title: 'Take it away',
    input: { attributes: [{ name: 'disk', targetId: 'host-1' }] },
  },
  {
    name: 'drain',
    operation: 'UpdateContainerInstancesState',
    title: 'Keep new tasks away from a host',
    input: { containerInstances: ['host-1'], status: 'DRAINING' },
  },
  {
    name: 'update-agent',
    operation: 'UpdateContainerAgent',
    title: 'Agents follow the release that their machine was given',
    input: { containerInstance: host },
    refused: { status: 409, code: 'NoUpdateAvailableException' },
  },
  {
    name: 'deregister-host',
    operation: 'DeregisterContainerInstance',
    title: 'End a host for good, whatever it runs',
    input: { containerInstance: host, force: true },
  },
];
