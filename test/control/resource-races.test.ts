/** Two changes of one task definition, host, task or capacity provider in the same moment (docs/consistency.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Control } from '../../control/create.ts';
import { getCapacityProvider } from '../../control/store/capacity-providers.ts';
import { getCluster } from '../../control/store/clusters.ts';
import { clusterArn } from '../../core/arn.ts';
import { hostIn, Races } from './support/races.ts';
import type { World } from './support/world.ts';

describe('both at once', () => {
  let races: Races;
  beforeAll(async () => {
    races = await Races.start('sqlite', { first: 1, second: 3 });
  });
  afterAll(() => races[Symbol.asyncDispose]());

  it('registrations of a family get its next two numbers', async () => {
    const register = (world: World) => {
      const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
      return (control: Control, family: string) =>
        world.call('RegisterTaskDefinition', { family, containerDefinitions }, { control });
    };
    await races.tell({
      given: async () => undefined,
      calls: (_, world) => [register(world), register(world)],
      async holds({ ended, answers }) {
        expect(ended).toEqual(['done', 'done']);
        const revisions = answers.map((answer) => String(Object(answer).taskDefinition.revision));
        expect(revisions.toSorted()).toEqual(['1', '2']);
      },
    });
  });

  it('tags are all there, or those that are too many are refused', async () => {
    const tags = Array.from({ length: 49 }, (_, index) => ({ key: `k${index}` }));
    await races.tell({
      given: async (world, cluster) => {
        const resourceArn = clusterArn(world.control.deps.realm, cluster);
        await world.call('TagResource', { resourceArn, tags });
        return (key: string) => (control: Control) =>
          world.call('TagResource', { resourceArn, tags: [{ key }] }, { control });
      },
      calls: (tag) => [tag('a'), tag('b')],
      async holds({ world, cluster, ended }) {
        expect([...ended].sort()).toEqual(['InvalidParameterException', 'done']);
        expect((await getCluster(world.table, cluster))?.tags).toHaveLength(50);
      },
    });
  });

  it('attributes of a host are all there, or those of the call that is too many are refused', async () => {
    await races.tell({
      given: async (world, cluster) => {
        const { hostId: targetId } = await hostIn(world, cluster);
        const put = (from: number, count: number) => (control: Control) => {
          const attributes = Array.from({ length: count }, (_, index) => ({
            name: `a${from + index}`,
            value: 'x',
            targetId,
          }));
          return world.call('PutAttributes', { cluster, attributes }, { control });
        };
        await put(0, 7)(world.control);
        return put;
      },
      calls: (put) => [put(10, 2), put(20, 2)],
      async holds({ world, cluster, ended }) {
        expect([...ended].sort()).toEqual(['AttributeLimitExceededException', 'done']);
        const { attributes } = await world.call('ListAttributes', { cluster, targetType: 'container-instance' });
        expect(attributes.filter(({ name }) => name.startsWith('a'))).toHaveLength(9);
      },
    });
  });

  it('a capacity provider is deleted or a cluster has it', async () => {
    const outcomes = await races.tell({
      given: (world, name) => world.call('CreateCapacityProvider', { name, gantry: {} }),
      calls: (_, world) => [
        (control, cluster) =>
          world.call(
            'PutClusterCapacityProviders',
            { cluster, capacityProviders: [cluster], defaultCapacityProviderStrategy: [] },
            { control },
          ),
        (control, name) => world.call('DeleteCapacityProvider', { capacityProvider: name }, { control }),
      ],
      async holds({ world, cluster, ended }) {
        const [found, provider] = await Promise.all([
          getCluster(world.table, cluster),
          getCapacityProvider(world.table, cluster),
        ]);
        expect([provider?.status, provider?.usedBy, found?.capacityProviders, ended]).toEqual(
          ended[0] === 'done'
            ? ['ACTIVE', [cluster], [cluster], ['done', 'ClientException']]
            : ['INACTIVE', [], [], ['InvalidParameterException', 'done']],
        );
      },
    });
    expect(outcomes.size).toBe(2);
  });
});
