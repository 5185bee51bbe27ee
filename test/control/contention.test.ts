/** RunTask against others that want, free or lose the same hosts in the same moment. */
import { describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import type { Table } from '../../control/store/table.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { startWorld } from './support/world.ts';

describe('a view of the hosts that is out of date', () => {
  it('refuses nothing: what another control plane has freed is seen before a refusal', async () => {
    await using world = await startWorld();
    const host = await world.host({ memoryMib: 512 });
    await world.register('big', { memory: 512 });
    const other = await world.another();
    const request = { taskDefinition: 'big', launchType: 'EC2' };
    const first = await world.call('RunTask', request);
    const refused = await world.call('RunTask', request, { control: other });
    expect(refused.failures).toMatchObject([{ reason: 'RESOURCE:MEMORY' }]);
    await world.call('StopTask', { task: first.tasks[0]?.taskArn });
    await host.obey(); // Ends it, through the first control plane.
    const { tasks, failures } = await world.call('RunTask', request, { control: other });
    expect([tasks.length, failures]).toEqual([1, []]);
  });

  it('places nothing where another control plane has taken the room', async () => {
    await using world = await startWorld();
    for (const name of ['a', 'b']) await world.host({ name, memoryMib: 512 });
    await world.register('big', { memory: 512 });
    const other = await world.another();
    for (const control of [world.control, other]) await control.deps.capacity.hosts('default');
    const request = { taskDefinition: 'big', launchType: 'EC2' };
    const answers = [
      await world.call('RunTask', request),
      await world.call('RunTask', request, { control: other }),
      await world.call('RunTask', request),
    ];
    expect(answers.map(({ tasks, failures }) => [tasks.length, failures.length])).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
  });

  it.each([
    ['has an epoch under which it has not reported', { path: ['epoch'] as const, value: 2 }, 'has not reported yet'],
    ['is silent', { path: ['connected'] as const, value: false }, 'agent disconnected'],
    ['is draining', { path: ['status'] as const, value: 'DRAINING' }, 'draining'],
  ])('places nothing on a host that meanwhile %s', async (_, change, why) => {
    await using world = await startWorld();
    const { hostId } = await world.host();
    await world.register('job');
    await world.control.deps.capacity.hosts('default');
    await world.table.commit([{ kind: 'update', key: keys.hostCapacity('default', hostId), set: [change], when: [] }]);
    const { tasks, failures } = await world.call('RunTask', { taskDefinition: 'job', launchType: 'EC2' });
    expect([tasks, failures]).toMatchObject([[], [{ detail: `1 host: ${why}` }]]);
  });

  it('is not needed to wait: a host that is full is learned of from the refusal', async () => {
    await using world = await startWorld();
    await world.host({ memoryMib: 1000 });
    await world.register('job', { memory: 100 });
    const other = await world.another();
    await other.deps.capacity.hosts('default');
    await world.call('RunTask', { taskDefinition: 'job', count: 10 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' }, { control: other });
    expect(tasks).toMatchObject([
      { lastStatus: 'PROVISIONING', explanation: { sentence: '1 host: memory (largest free 0 MiB, needs 100)' } },
    ]);
  });
});

describe('a RunTask that others overtake every time', () => {
  const overtaken = (atMost: number) => {
    let left = atMost;
    return (table: Table): Table =>
      interceptCommits(table, async (changes, forward) => {
        const places = changes.some((change) => change.kind === 'put' && change.item.sk.startsWith('task#'));
        if (!places || left === 0) return forward(changes);
        left -= 1;
        return { outcome: 'conflict' };
      });
  };

  it('lets its tasks wait, and they are placed at once when that is over', async () => {
    await using world = await startWorld({ wrap: overtaken(5) });
    await world.host();
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    expect(tasks).toMatchObject([
      { lastStatus: 'PROVISIONING', explanation: { sentence: expect.stringContaining('taken by other tasks') } },
    ]);
    await world.control.loops.idle();
    expect((await world.call('GetTasks', {})).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
  });

  it('asks to be repeated where they may not wait, and has made none', async () => {
    await using world = await startWorld({ wrap: overtaken(20) });
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', launchType: 'EC2', clientToken: 't' };
    await expect(world.call('RunTask', request)).rejects.toMatchObject({ code: 'ThrottlingException' });
    expect((await world.call('ListTasks', {})).taskArns).toEqual([]);
    expect((await world.call('RunTask', request)).tasks).toHaveLength(1);
  });
});

describe('concurrent RunTasks', () => {
  it('never take more of a host than it has', async () => {
    await using world = await startWorld();
    const hosts = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.host({ name, memoryMib: 1000 })));
    await world.register('job', { memory: 100 });
    const calls = Array.from({ length: 60 }, () => world.call('RunTask', { taskDefinition: 'job', launchType: 'EC2' }));
    const answers = await Promise.all(calls);
    const placed = answers.flatMap(({ tasks }) => tasks);
    expect(placed).toHaveLength(40);
    for (const host of hosts) expect((await host.fetch())?.tasks).toHaveLength(10);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('give a static port of a host to one task only', async () => {
    await using world = await startWorld();
    await Promise.all(['a', 'b'].map((name) => world.host({ name })));
    await world.register('web', { hostPort: 8080 });
    const calls = Array.from({ length: 10 }, () => world.call('RunTask', { taskDefinition: 'web', launchType: 'EC2' }));
    const answers = await Promise.all(calls);
    expect(
      answers
        .flatMap(({ tasks }) => tasks)
        .map(({ hostName }) => hostName)
        .sort((a = '', b = '') => (a < b ? -1 : 1)),
    ).toEqual(['a', 'b']);
    const refused = answers.flatMap(({ failures }) => failures);
    expect(refused).toHaveLength(8);
    for (const { reason } of refused) expect(reason).toBe('RESOURCE:PORTS');
  });

  it('put at most one task of a group on a host where they ask for distinct ones', async () => {
    await using world = await startWorld();
    await Promise.all(['a', 'b', 'c'].map((name) => world.host({ name })));
    await world.register('job');
    const request = { taskDefinition: 'job', placementConstraints: [{ type: 'distinctInstance' }], launchType: 'EC2' };
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.call('RunTask', request)));
    expect(
      answers
        .flatMap(({ tasks }) => tasks)
        .map(({ hostName }) => hostName)
        .sort((a = '', b = '') => (a < b ? -1 : 1)),
    ).toEqual(['a', 'b', 'c']);
  });
});
