import { describe, expect, it } from 'vitest';
import { interceptCommits } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { idOf, startWorld, type World } from './support/world.ts';

describe.each(['sqlite', 'dynamodb'] as const)('a task over %s', (store) => {
  it('is placed, fetched, run and stopped, and gives back what it held', async () => {
    await using world = await startWorld({ store });
    const host = await world.host({ cpuUnits: 1024, memoryMib: 1024 });
    await world.register('web', { cpu: 256, memory: 512, hostPort: 8080 });

    const { tasks, failures } = await world.call('RunTask', { taskDefinition: 'web', startedBy: 'me' });
    expect(failures).toEqual([]);
    expect(tasks).toMatchObject([{ lastStatus: 'PENDING', desiredStatus: 'RUNNING', hostName: 'host-1', version: 1 }]);
    const id = idOf(tasks[0]?.taskArn);
    expect(await world.call('ListTasks', { startedBy: 'me' })).toEqual({ taskArns: [tasks[0]?.taskArn] });
    expect(await freeOf(world)).toEqual({ CPU: 768, MEMORY: 512, ports: ['8080'] });

    await host.obey();
    expect(await statusOf(world, id)).toBe('RUNNING');
    world.advance(3);
    host.end(id, 7);
    expect(await host.report()).toMatchObject({ forget: [id] });

    const described = await world.call('DescribeTasks', { tasks: [id] });
    expect(described.tasks[0]).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ name: 'app', lastStatus: 'STOPPED', exitCode: 7 }],
    });
    expect(await freeOf(world)).toEqual({ CPU: 1024, MEMORY: 1024, ports: [] });
    expect(await world.call('ListTasks', {})).toEqual({ taskArns: [] });
    // Its agent was told to forget the task: there is nothing that it must fetch for that.
    expect(await host.fetch()).toBeUndefined();
    host.etag = undefined;
    expect((await host.fetch())?.tasks).toEqual([]);
  });
});

async function statusOf(world: World, id: string): Promise<string | undefined> {
  return (await world.call('DescribeTasks', { tasks: [id] })).tasks[0]?.lastStatus;
}

async function freeOf(world: World): Promise<{ CPU: number; MEMORY: number; ports: string[] }> {
  const [host] = (await world.call('GetHosts', {})).hosts;
  const resource = (name: string) => host?.remainingResources.find((each) => each.name === name);
  return {
    CPU: resource('CPU')?.integerValue ?? Number.NaN,
    MEMORY: resource('MEMORY')?.integerValue ?? Number.NaN,
    ports: resource('PORTS')?.stringSetValue ?? [],
  };
}

describe('a repeated RunTask', () => {
  it('is the same call by the invocation id where there is no client token', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const first = await world.call('RunTask', { taskDefinition: 'job' }, { invocationId: 'a' });
    const retry = await world.call('RunTask', { taskDefinition: 'job' }, { invocationId: 'a' });
    const other = await world.call('RunTask', { taskDefinition: 'job' }, { invocationId: 'b' });
    expect(retry.tasks[0]?.taskArn).toBe(first.tasks[0]?.taskArn);
    expect(other.tasks[0]?.taskArn).not.toBe(first.tasks[0]?.taskArn);
  });

  it('answers its tasks even if the revision was deregistered since', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job:1', clientToken: 't' };
    const first = await world.call('RunTask', request);
    await world.call('DeregisterTaskDefinition', { taskDefinition: 'job:1' });
    const retry = await world.call('RunTask', request);
    expect(retry.tasks.map(({ taskArn }) => taskArn)).toEqual(first.tasks.map(({ taskArn }) => taskArn));
    await expect(world.call('RunTask', { ...request, clientToken: 'new' })).rejects.toMatchObject({
      code: 'ClientException',
      message: 'TaskDefinition is inactive',
    });
  });

  it('with the same token and other parameters is a conflict that names what was made', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const first = await world.call('RunTask', { taskDefinition: 'job', clientToken: 't' });
    await expect(world.call('RunTask', { taskDefinition: 'job', clientToken: 't', count: 2 })).rejects.toMatchObject({
      code: 'ConflictException',
      resourceIds: [first.tasks[0]?.taskArn],
    });
  });

  it('is a new call after 24 hours', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const request = { taskDefinition: 'job', clientToken: 't' };
    const first = await world.call('RunTask', request);
    world.advance(24 * 3600 + 1);
    await host.fetch();
    const later = await world.call('RunTask', request);
    expect(later.tasks[0]?.taskArn).not.toBe(first.tasks[0]?.taskArn);
  });

  it('of a refused call is a new try', async () => {
    await using world = await startWorld();
    const host = await world.host({ memoryMib: 512 });
    await world.register('big', { memory: 512 });
    const running = await world.call('RunTask', { taskDefinition: 'big' });
    const request = { taskDefinition: 'big', launchType: 'EC2', clientToken: 't' };
    expect(await world.call('RunTask', request)).toMatchObject({
      tasks: [],
      failures: [{ reason: 'RESOURCE:MEMORY' }],
    });
    await world.call('StopTask', { task: idOf(running.tasks[0]?.taskArn) });
    await host.obey();
    expect(await world.call('RunTask', request)).toMatchObject({ tasks: [{}], failures: [] });
  });
});

describe('a large RunTask', () => {
  it('is made in chunks, on all hosts, within what they have', async () => {
    await using world = await startWorld();
    for (const name of ['a', 'b', 'c']) await world.host({ name, memoryMib: 4000 });
    await world.register('job', { memory: 100 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count: 130 });
    expect(tasks).toHaveLength(130);
    const placed = tasks.filter(({ lastStatus }) => lastStatus === 'PENDING');
    const waiting = tasks.filter(({ lastStatus }) => lastStatus === 'PROVISIONING');
    expect([placed.length, waiting.length]).toEqual([120, 10]);
    expect(new Set(tasks.map(({ taskArn }) => taskArn)).size).toBe(130);
    for (const { explanation } of waiting) expect(explanation?.sentence).toContain('memory');
  });

  it('of launch type EC2 makes what fits and refuses the rest, one failure a task', async () => {
    await using world = await startWorld();
    await world.host({ memoryMib: 3000 });
    await world.register('job', { memory: 100 });
    const request = { taskDefinition: 'job', count: 50, launchType: 'EC2', clientToken: 't' };
    const answer = await world.call('RunTask', request);
    expect(answer.tasks).toHaveLength(30);
    expect(answer.failures).toHaveLength(20);
    const [host] = (await world.call('ListContainerInstances', {})).containerInstanceArns;
    for (const failure of answer.failures) {
      expect(failure).toEqual({
        arn: host,
        reason: 'RESOURCE:MEMORY',
        detail: '1 host: memory (largest free 0 MiB, needs 100)',
        histogram: [expect.objectContaining({ dimension: 'memory', reason: 'RESOURCE:MEMORY', hosts: 1 })],
      });
    }
    expect(await world.call('RunTask', request)).toMatchObject({ failures: answer.failures });
  });
});

describe('RunTask refuses', () => {
  it.each([
    [{ cluster: 'nowhere' }, 'ClusterNotFoundException', 'Cluster not found.'],
    [{ cluster: 'nowhere', taskDefinition: 'job:0' }, 'ClusterNotFoundException', 'Cluster not found.'],
    [{ taskDefinition: 'unknown' }, 'ClientException', 'TaskDefinition not found.'],
    [{ taskDefinition: 'job:9' }, 'ClientException', 'TaskDefinition not found.'],
    [{ taskDefinition: 'job:x' }, 'ClientException', 'Invalid revision number. Number: x'],
    [{ launchType: 'EC2' }, 'InvalidParameterException', 'No Container Instances were found in your cluster.'],
  ])('%j', async (change, code, message) => {
    await using world = await startWorld();
    await world.register('job');
    await expect(world.call('RunTask', { taskDefinition: 'job', ...change })).rejects.toMatchObject({ code, message });
    expect((await world.call('ListTasks', {})).taskArns).toEqual([]);
  });
});

describe('a call that nobody can repeat', () => {
  it.each<[string, { count?: number; clientToken?: string }, { invocationId?: string }, number]>([
    ['leaves no record', {}, {}, 0],
    ['has one once it is too large for one commit', { count: 25 }, {}, 2],
    ['is another with a client token', { clientToken: 'mine' }, {}, 1],
    ['is another with an invocation id', {}, { invocationId: 'an-id' }, 1],
  ])('%s', async (_, more, options, records) => {
    const written: string[] = [];
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, (changes, forward) => {
          written.push(...changes.flatMap((change) => (change.kind === 'put' ? change.item.pk : [])));
          return forward(changes);
        }),
    });
    await world.host({ memoryMib: 8192 });
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', ...more }, options);
    expect(tasks).toHaveLength(more.count ?? 1);
    expect(written.filter((pk) => pk.startsWith('request#'))).toHaveLength(records);
    expect(await breaches(world.table)).toEqual([]);
  });
});
