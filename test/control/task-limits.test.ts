/** Timeouts, CPU limits and stops by force, from the call to the host and back. */
import { describe, expect, it } from 'vitest';
import { idOf, startWorld, type World } from './support/world.ts';

const stores = ['sqlite', 'dynamodb'] as const;

const limitTags = [
  { key: 'gantry:timeout-seconds', value: '600' },
  { key: 'gantry:cpu-limit', value: '2 vCPU' },
];

async function runOne(world: World, request: object = {}): Promise<string> {
  await world.register('job', { cpu: 512 });
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', ...request });
  return idOf(tasks[0]?.taskArn);
}

const shown = async (world: World, task: string) => (await world.call('GetTask', { task })).task;

describe.each(stores)('limits of a task on %s', (store) => {
  it('reach its host with its spec, placed at once or later, and are shown', async () => {
    await using world = await startWorld({ store });
    const waiting = await runOne(world, { tags: limitTags });
    const host = await world.host();
    await world.loop('place-pending');
    const placed = await runOne(world, { timeoutSeconds: 60, cpuLimit: '1024' });
    const { tasks = [] } = (await host.fetch()) ?? {};
    const specs = Object.fromEntries(tasks.map(({ taskId, spec }) => [taskId, spec]));
    expect(specs[waiting]).toMatchObject({ timeoutSeconds: 600, cpuLimitUnits: 2048 });
    expect(specs[placed]).toMatchObject({ timeoutSeconds: 60, cpuLimitUnits: 1024 });
    expect(await shown(world, placed)).toMatchObject({ timeoutSeconds: 60, cpuLimit: '1024', cpu: '512' });
    expect(await shown(world, placed)).not.toHaveProperty('timesOutAt');
    await host.obey();
    const running = await shown(world, placed);
    const startedAt = running.containers[0]?.startedAt?.getTime() ?? Number.NaN;
    expect(running.timesOutAt).toEqual(new Date(startedAt + 60_000));
    expect(running.headline).toContain(', until ');
  });
});

describe('limits of a task', () => {
  it('are those of its revision, and of a successor those of its predecessor', async () => {
    await using world = await startWorld();
    await world.call('RegisterTaskDefinition', {
      family: 'tagged',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 128 }],
      tags: limitTags,
    });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'tagged' });
    expect(tasks).toMatchObject([{ timeoutSeconds: 600, cpuLimit: '2048' }]);
  });

  it('cannot be changed by tags once it is there', async () => {
    await using world = await startWorld();
    const id = await runOne(world, { tags: limitTags });
    const { taskArn } = await shown(world, id);
    const settled = {
      code: 'InvalidParameterException',
      field: 'tags',
      message: expect.stringContaining('is settled'),
    };
    const tags = [{ key: 'gantry:timeout-seconds', value: '5' }];
    await expect(world.call('TagResource', { resourceArn: taskArn, tags })).rejects.toMatchObject(settled);
    const tagKeys = ['gantry:cpu-limit'];
    await expect(world.call('UntagResource', { resourceArn: taskArn, tagKeys })).rejects.toMatchObject(settled);
    await world.call('TagResource', { resourceArn: taskArn, tags: [{ key: 'team', value: 'a' }, ...limitTags] });
    expect((await shown(world, id)).tags).toHaveLength(3);
  });
});

describe.each(stores)('a stop by force on %s', (store) => {
  it('tells the host, also after a stop without, and once', async () => {
    await using world = await startWorld({ store });
    const host = await world.host();
    const id = await runOne(world);
    await host.obey();
    await world.call('StopTask', { task: id, reason: 'first' });
    const versions: (number | undefined)[] = [];
    for (const force of [false, true, true]) {
      await world.call('StopTask', { task: id, reason: 'second', force });
      const desired = (await host.fetch())?.tasks[0]?.desired;
      versions.push(desired?.version);
      if (desired?.version === 3) expect(desired).toMatchObject({ force: true, reason: 'first' });
    }
    expect(versions).toEqual([2, 3, undefined]);
    expect(await shown(world, id)).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'STOPPED' });
  });

  it('ends a task whose host does not answer, which kills it and gives back what it held once it does', async () => {
    await using world = await startWorld({ store });
    const host = await world.host();
    const id = await runOne(world);
    await host.obey();
    for (let beat = 0; beat < 5; beat += 1) {
      await world.loop('mark-silent');
      world.advance(5);
    }
    await world.call('StopTask', { task: id });
    expect((await shown(world, id)).lastStatus).toBe('RUNNING');
    const { task } = await world.call('StopTask', { task: id, force: true });
    expect(task).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'Task stopped by user (by force: host-1 does not answer, and will kill it once it does)',
    });
    expect((await world.call('ListTasks', { desiredStatus: 'RUNNING' })).taskArns).toEqual([]);
    const { host: before } = await world.call('GetHost', { host: 'host-1' });
    expect(before.remainingResources).not.toEqual(before.registeredResources);
    expect((await host.fetch())?.tasks).toMatchObject([{ taskId: id, desired: { status: 'STOPPED', force: true } }]);
    await host.obey();
    const { host: after } = await world.call('GetHost', { host: 'host-1' });
    expect(after.remainingResources).toEqual(after.registeredResources);
    expect(await shown(world, id)).toMatchObject({ stopCode: 'UserInitiated', containers: [{ exitCode: 143 }] });
  });
});

describe('a stop by force', () => {
  it('can be asked for by the reason, by clients that know no other way', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const desiredAfter = async (reason: string) => {
      const id = await runOne(world);
      await world.call('StopTask', { task: id, reason });
      return (await host.fetch())?.tasks.find(({ taskId }) => taskId === id)?.desired;
    };
    expect(await desiredAfter('gantry:force it hangs')).toMatchObject({ force: true, reason: 'it hangs' });
    expect(await desiredAfter('gantry:force')).toMatchObject({ force: true, reason: 'Task stopped by user' });
    expect(await desiredAfter('gantry:forceful')).not.toHaveProperty('force');
  });

  it('ends a task that waits as any stop does', async () => {
    await using world = await startWorld();
    const { task } = await world.call('StopTask', { task: await runOne(world), force: true });
    expect(task).toMatchObject({ lastStatus: 'STOPPED', stoppedReason: 'Task stopped by user' });
  });
});
