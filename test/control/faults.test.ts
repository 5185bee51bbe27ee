/** The control plane over a DynamoDB that throttles, conflicts, loses answers and has a late index: nobody outside notices. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { whyNoDynoxide } from '../support/dynoxide.ts';
import { breaches } from './support/invariants.ts';
import { idOf, startWorld, type World } from './support/world.ts';

async function statuses(world: World, ids: readonly string[]): Promise<string[]> {
  const { tasks } = await world.call('DescribeTasks', { tasks: ids });
  return tasks.map(({ lastStatus }) => lastStatus);
}

/** The history index is late: until it has caught up, a task that has just stopped may be in no list. */
async function untilListed(world: World, count: number): Promise<void> {
  const listed = async () => (await world.call('ListTasks', { desiredStatus: 'STOPPED' })).taskArns.length;
  while ((await listed()) !== count) await delay(5);
}

describe.skipIf(whyNoDynoxide() !== undefined)('over a DynamoDB with faults', () => {
  it('tasks are placed, wait, run and end as they do without', async () => {
    await using world = await startWorld({ store: 'faulty-dynamodb' });
    const host = await world.host({ memoryMib: 1000 });
    await world.register('job', { memory: 100 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count: 30, clientToken: 't' });
    const ids = tasks.map(({ taskArn }) => idOf(taskArn));
    const placed = ids.slice(0, 10);
    const waiting = ids.slice(10);
    expect(new Set(await statuses(world, placed))).toEqual(new Set(['PENDING']));
    expect(new Set(await statuses(world, waiting))).toEqual(new Set(['PROVISIONING']));
    await host.obey();
    expect(new Set(await statuses(world, placed))).toEqual(new Set(['RUNNING']));
    for (const id of placed) host.end(id);
    await host.report();
    await world.loop('place-pending');
    expect((await statuses(world, waiting)).filter((status) => status === 'PENDING')).toHaveLength(10);
    for (const id of waiting) await world.call('StopTask', { task: id });
    for (let round = 0; round < 2; round += 1) await host.obey();
    expect(new Set(await statuses(world, ids))).toEqual(new Set(['STOPPED']));
    await untilListed(world, 30);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('a call is made once by ten callers at once, and revisions are consecutive', async () => {
    await using world = await startWorld({ store: 'faulty-dynamodb' });
    await world.host();
    const definition = { family: 'job', containerDefinitions: [{ name: 'app', image: 'busybox', memory: 16 }] };
    const registered = await Promise.all(
      Array.from({ length: 10 }, () => world.call('RegisterTaskDefinition', definition)),
    );
    expect(registered.map(({ taskDefinition }) => taskDefinition.revision).sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    const request = { taskDefinition: 'job', count: 30, clientToken: 'once' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.call('RunTask', request)));
    expect(new Set(answers.flatMap(({ tasks }) => tasks.map(({ taskArn }) => taskArn))).size).toBe(30);
    for (const { tasks } of answers) expect(tasks).toHaveLength(30);
    expect(await breaches(world.table)).toEqual([]);
  });
});
