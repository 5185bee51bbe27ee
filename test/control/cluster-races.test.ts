/** DeleteCluster and CreateCluster against whatever else is done with the same cluster in that moment (docs/consistency.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getCapacityProvider } from '../../control/store/capacity-providers.ts';
import { getCluster } from '../../control/store/clusters.ts';
import { clusterHosts } from '../../control/store/hosts.ts';
import { liveTasks } from '../../control/store/tasks.ts';
import { clusterArn } from '../../core/arn.ts';
import { Races, stores } from './support/races.ts';
import type { World } from './support/world.ts';

async function liveIn({ table }: World, cluster: string): Promise<number> {
  let count = 0;
  for await (const _ of liveTasks(table, cluster, { pageSize: 100 })) count += 1;
  return count;
}

const statusOf = async ({ table }: World, cluster: string) => (await getCluster(table, cluster))?.status;

describe.each(stores)('over %s, DeleteCluster', (store, strides) => {
  let races: Races;
  beforeAll(async () => {
    races = await Races.start(store, strides);
  });
  afterAll(() => races[Symbol.asyncDispose]());

  it('and a RunTask whose tasks wait: it is deleted and has none, or they are there and it stays', async () => {
    const outcomes = await races.tell(
      {
        given: async () => undefined,
        calls: (_, world) => [
          (control, cluster) => world.call('RunTask', { cluster, taskDefinition: 'job', count: 2 }, { control }),
          (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        ],
        async holds({ world, cluster, ended }) {
          expect([await statusOf(world, cluster), await liveIn(world, cluster), ended]).toEqual(
            ended[0] === 'done'
              ? ['ACTIVE', 2, ['done', 'ClusterContainsTasksException']]
              : ['INACTIVE', 0, ['ClusterNotFoundException', 'done']],
          );
        },
      },
      store === 'sqlite' ? { first: 1, second: 1 } : strides,
    );
    expect(outcomes.size).toBe(2);
  });

  it('and a host that joins: one of them is refused', async () => {
    const outcomes = await races.tell({
      given: (world, cluster) => world.control.joinTokens.create({ cluster, reusable: true }),
      calls: (token, world) => [
        (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        (control, cluster) => world.host({ cluster, name: cluster, token, control }),
      ],
      async holds({ world, cluster, ended }) {
        const hosts = await clusterHosts(world.table, cluster);
        expect([await statusOf(world, cluster), hosts.length]).toEqual(
          ended[0] === 'done' ? ['INACTIVE', 0] : ['ACTIVE', 1],
        );
        expect(ended.filter((end) => end === 'done')).toHaveLength(1);
      },
    });
    expect(outcomes.size).toBe(2);
  });

  if (store === 'dynamodb') return;

  it('and CreateCluster of the same name: both are done, in an order that the answers agree with', async () => {
    await races.tell({
      given: async () => undefined,
      calls: (_, world) => [
        (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        (control, cluster) => world.call('CreateCluster', { clusterName: cluster }, { control }),
      ],
      async holds({ world, cluster, ended, answers }) {
        expect(ended).toEqual(['done', 'done']);
        expect(answers).toMatchObject([{ cluster: { status: 'INACTIVE' } }, { cluster: { status: 'ACTIVE' } }]);
        expect(['ACTIVE', 'INACTIVE']).toContain(await statusOf(world, cluster));
      },
    });
  });

  it('and CreateCapacityProvider in it: a provider that is there has an ACTIVE cluster that knows it', async () => {
    const outcomes = await races.tell({
      given: async () => undefined,
      calls: (_, world) => [
        (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        (control, cluster) => world.call('CreateCapacityProvider', { name: cluster, cluster, gantry: {} }, { control }),
      ],
      async holds({ world, cluster, ended }) {
        const [found, provider] = await Promise.all([
          getCluster(world.table, cluster),
          getCapacityProvider(world.table, cluster),
        ]);
        expect([found?.status, found?.capacityProviders, provider?.status, ended[0]]).toEqual(
          ended[1] === 'done'
            ? ['ACTIVE', [cluster], 'ACTIVE', 'ClusterContainsCapacityProviderException']
            : ['INACTIVE', [], undefined, 'done'],
        );
      },
    });
    expect(outcomes.size).toBe(2);
  });

  it('and PutClusterCapacityProviders: a deleted cluster has none, and none knows it', async () => {
    const outcomes = await races.tell({
      given: (world, cluster) => world.call('CreateCapacityProvider', { name: cluster, gantry: {} }),
      calls: (_, world) => [
        (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        (control, cluster) =>
          world.call(
            'PutClusterCapacityProviders',
            { cluster, capacityProviders: [cluster], defaultCapacityProviderStrategy: [] },
            { control },
          ),
      ],
      async holds({ world, cluster, ended }) {
        const found = await getCluster(world.table, cluster);
        const provider = await getCapacityProvider(world.table, cluster);
        expect(ended[0]).toBe('done');
        expect([found?.status, found?.capacityProviders, provider?.usedBy]).toEqual(['INACTIVE', [], []]);
      },
    });
    expect(outcomes.size).toBe(2);
  });

  it('and TagResource: a deleted cluster has the tags that were answered, or they were refused', async () => {
    const outcomes = await races.tell({
      given: async () => undefined,
      calls: (_, world) => [
        (control, cluster) => world.call('DeleteCluster', { cluster }, { control }),
        (control, cluster) =>
          world.call(
            'TagResource',
            { resourceArn: clusterArn(world.control.deps.realm, cluster), tags: [{ key: 'a', value: 'b' }] },
            { control },
          ),
      ],
      async holds({ world, cluster, ended }) {
        const { status, tags } = (await getCluster(world.table, cluster)) ?? {};
        expect([ended[0], status]).toEqual(['done', 'INACTIVE']);
        expect(tags).toHaveLength(ended[1] === 'done' ? 1 : 0);
      },
    });
    expect([...outcomes.keys()].sort()).toEqual(['done / InvalidParameterException', 'done / done']);
  });
});
