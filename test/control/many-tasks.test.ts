/** RunTask for more tasks than one call makes, and the histogram of why what is refused fits nowhere. */
import { describe, expect, it } from 'vitest';
import { finishRequests } from '../../control/loops/finish-requests.ts';
import { liveTasks } from '../../control/store/tasks.ts';
import { idOf, startWorld, type World } from './support/world.ts';

async function liveIds(world: World): Promise<string[]> {
  const ids: string[] = [];
  for await (const { entry } of liveTasks(world.table, 'default', { pageSize: 100 })) ids.push(entry.taskId);
  return ids;
}

describe('a call for many tasks', () => {
  it('answers a thousand, and the rest is made after it, each once', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', count: 2300, clientToken: 'many' };
    const first = await world.call('RunTask', request);
    expect([first.tasks.length, first.failures, first.remaining]).toEqual([1000, [], 1300]);
    expect(first.tasks.filter(({ lastStatus }) => lastStatus === 'PENDING')).toHaveLength(16);
    world.advance(6);
    const { deps } = world.control;
    expect(await finishRequests.activate(deps)).toEqual({ changed: 1, againAt: world.now() });
    const some = await liveIds(world);
    expect(some.length).toBeGreaterThanOrEqual(2000);
    expect(some.length).toBeLessThan(2300);
    expect(await finishRequests.activate(deps)).toEqual({ changed: 1 });
    const ids = await liveIds(world);
    expect(new Set(ids).size).toBe(2300);
    const again = await world.call('RunTask', request);
    expect(again.remaining).toBe(1300);
    expect(again.tasks.map(({ taskArn }) => taskArn)).toEqual(first.tasks.map(({ taskArn }) => taskArn));
    expect(ids).toEqual(expect.arrayContaining(first.tasks.map(({ taskArn }) => idOf(taskArn))));
    expect(await liveIds(world)).toHaveLength(2300);
  });

  it('is refused where tasks may not wait, and allowed where the cluster lets them', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', count: 1001, launchType: 'EC2' };
    await expect(world.call('RunTask', request)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'count',
      message: 'count may be at most 1000 where tasks may not wait; it is 1001.',
    });
    await world.call('UpdateClusterSettings', {
      cluster: 'default',
      settings: [{ name: 'gantry:waitForCapacity', value: 'enabled' }],
    });
    expect((await world.call('RunTask', request)).remaining).toBe(1);
  });
});

describe('a refusal', () => {
  it('counts hosts by what they lack, of RunTask in each failure', async () => {
    await using world = await startWorld();
    await world.host({ name: 'a', memoryMib: 32 });
    await world.host({ name: 'b', memoryMib: 64 });
    await world.host({ name: 'c', cpuUnits: 100 });
    await world.register('job', { cpu: 512 });
    const request = { taskDefinition: 'job', count: 2, launchType: 'EC2' };
    const { failures } = await world.call('RunTask', request);
    expect(failures).toHaveLength(2);
    for (const { reason, histogram = [] } of failures) {
      expect(reason).toBe('RESOURCE:MEMORY');
      expect(histogram.map(({ dimension, hosts }) => [dimension, hosts])).toEqual([
        ['memory', 2],
        ['cpu', 1],
      ]);
    }
    expect(failures[0]?.detail).toBe(failures[0]?.histogram?.map(text).join('; '));
  });

  it('of StartTask says the same of the host that was named', async () => {
    await using world = await startWorld();
    const { hostId } = await world.host({ memoryMib: 64 });
    await world.register('job');
    const { failures } = await world.call('StartTask', { taskDefinition: 'job', containerInstances: [hostId] });
    expect(failures).toMatchObject([{ reason: 'RESOURCE:MEMORY', histogram: [{ dimension: 'memory', hosts: 1 }] }]);
  });
});

const text = ({ hosts, detail }: { hosts: number; detail: string }): string =>
  `${hosts} host${hosts === 1 ? '' : 's'}: ${detail}`;
