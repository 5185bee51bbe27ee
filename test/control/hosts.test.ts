import { describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import { hostPaths } from '../../core/host-protocol.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { ScriptedHost } from './support/scripted-host.ts';
import { startWorld, type World } from './support/world.ts';

const idOf = (arn: string | undefined): string => arn?.split('/').at(-1) ?? '';

const joinToken = (world: World, options: { cluster?: string; reusable?: boolean; lifetimeSeconds?: number } = {}) =>
  world.control.joinTokens.create({ cluster: 'default', reusable: false, ...options });

async function hostView(world: World, host = 'host-1') {
  return (await world.call('GetHost', { host })).host;
}

const integers = (resources: readonly { name: string; integerValue: number }[]) =>
  Object.fromEntries(resources.filter(({ name }) => !name.startsWith('PORTS')).map((r) => [r.name, r.integerValue]));

describe('admission', () => {
  it('needs a token that is valid, of that cluster, in time, and spent once', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'other' });
    const host = (name: string) => new ScriptedHost(world.control, { name });
    await expect(host('a').register('guess')).rejects.toMatchObject({ status: 403, code: 'AccessDeniedException' });
    const other = await joinToken(world, { cluster: 'other' });
    await expect(host('a').register(other)).rejects.toMatchObject({ status: 403 });
    const brief = await joinToken(world, { lifetimeSeconds: 60 });
    const token = await joinToken(world);
    const first = host('a');
    await first.register(token);
    await expect(host('b').register(token)).rejects.toMatchObject({ status: 403 });
    await first.register(token); // The answer may have been lost.
    world.advance(61);
    await expect(host('c').register(brief)).rejects.toMatchObject({ status: 403 });
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('ends with the first full report, also where its change meets another one', async () => {
    let conflicts = 0;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          if (conflicts === 0) return forward(changes);
          conflicts -= 1;
          return { outcome: 'conflict' };
        }),
    });
    const host = new ScriptedHost(world.control);
    await host.register(await joinToken(world));
    await host.fetch();
    expect((await hostView(world)).status).toBe('REGISTERING');
    expect(await world.call('ListContainerInstances', { status: 'ACTIVE' })).toEqual({ containerInstanceArns: [] });
    conflicts = 1;
    await host.report({ full: true });
    expect(conflicts).toBe(0);
    expect((await hostView(world)).status).toBe('ACTIVE');
  });

  it('of many at once by a one-time token admits one', async () => {
    await using world = await startWorld();
    const token = await joinToken(world);
    const hosts = Array.from({ length: 8 }, (_, index) => new ScriptedHost(world.control, { name: `h${index}` }));
    const results = await Promise.allSettled(hosts.map((host) => host.register(token)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await world.call('GetHosts', {})).hosts).toHaveLength(1);
  });

  it('knows a key again and keeps what the host has free as its totals change', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 2000, memoryMib: 2000, reservedPorts: ['tcp/22'] });
    await world.register('job', { cpu: 500, memory: 500, hostPort: 80 });
    await world.call('RunTask', { taskDefinition: 'job' });
    const { hostId } = await host.register('', {
      cpuUnits: 3000,
      memoryMib: 1000,
      reservedPorts: ['tcp/53', 'tcp/80'],
    });
    expect(hostId).toBe(host.hostId);
    const view = await hostView(world);
    expect(integers(view.registeredResources)).toEqual({ CPU: 3000, MEMORY: 1000 });
    expect(integers(view.remainingResources)).toEqual({ CPU: 2500, MEMORY: 500 });
    expect(view.remainingResources.find(({ name }) => name === 'PORTS')?.stringSetValue?.sort()).toEqual(['53', '80']);
  });

  it('refuses a name that another key has, and a key that has another name', async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'alpha' });
    const token = await joinToken(world);
    const double = new ScriptedHost(world.control, { name: 'alpha' });
    await expect(double.register(token)).rejects.toMatchObject({ status: 409, code: 'ConflictException' });
    await expect(host.register(token, { name: 'beta' })).rejects.toMatchObject({ status: 409 });
    await expect(double.register(token, { name: 'no spaces' })).rejects.toMatchObject({ status: 400 });
    await expect(double.register(token, { cluster: 'nowhere' })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
  });

  it('gives nothing to a host before it has fetched and reported everything', async () => {
    await using world = await startWorld();
    await world.register('job');
    const host = new ScriptedHost(world.control);
    await host.register(await joinToken(world));
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.fetch();
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.report({ full: true });
    expect((await world.call('RunTask', request)).failures).toEqual([]);
  });
});

describe('a request of a host', () => {
  it('must be signed by the key of the host in its path, now, over its own body', async () => {
    await using world = await startWorld();
    const [host, stranger] = [await world.host({ name: 'a' }), await world.host({ name: 'b' })];
    const path = hostPaths.heartbeat(host.hostId);
    const send = async (headers: Record<string, string>, body = '') => {
      const answer = await world.control.hostsApp.request(path, { method: 'POST', headers, ...(body && { body }) });
      return [answer.status, answer.status === 204 ? '' : ((await answer.json()) as { code: string }).code];
    };
    const good = host.signed('POST', path, '');
    expect(await send(good)).toEqual([204, '']);
    expect(await send({})).toEqual([401, 'MissingAuthenticationTokenException']);
    expect(await send({ ...good, signature: 'gantry=:AAAA:' })).toEqual([401, 'IncompleteSignatureException']);
    expect(await send(good, '{}')).toEqual([401, 'InvalidSignatureException']);
    expect(await send(host.signed('GET', path, ''))).toEqual([401, 'InvalidSignatureException']);
    expect(await send(host.signed('POST', hostPaths.report(host.hostId), ''))).toEqual([
      401,
      'InvalidSignatureException',
    ]);
    expect(await send(stranger.signed('POST', path, ''))).toEqual([401, 'UnrecognizedClientException']);
    expect(await send(stranger.signed('POST', path, '', host.hostId))).toEqual([401, 'InvalidSignatureException']);
    world.advance(301);
    expect(await send(good)).toEqual([401, 'InvalidSignatureException']);
  });

  it('that is malformed gets a 400 that names the member', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const report = host.request('POST', hostPaths.report(host.hostId), { storeEpoch: host.storeEpoch });
    await expect(report).rejects.toMatchObject({ status: 400, message: expect.stringContaining('hostEpoch') });
  });
});

describe('the desired set', () => {
  it('has an ETag that changes with it', async () => {
    await using world = await startWorld();
    const host = await world.host();
    expect(await host.fetch()).toBeUndefined();
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    const set = await host.fetch();
    expect(set?.tasks).toMatchObject([
      {
        taskId: idOf(tasks[0]?.taskArn),
        desired: { status: 'RUNNING', version: 1 },
        spec: { family: 'job', revision: 1, networkMode: 'bridge', containers: [{ name: 'app', image: 'busybox' }] },
      },
    ]);
    expect(await host.fetch()).toBeUndefined();
    await world.call('StopTask', { task: idOf(tasks[0]?.taskArn) });
    expect((await host.fetch())?.tasks).toMatchObject([{ desired: { status: 'STOPPED', version: 2 } }]);
  });

  it('is answered whole to an agent that knows the generation from another store or epoch', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const etag = host.etag ?? '';
    expect(etag).toContain(world.control.deps.storeEpoch);
    host.etag = etag.replace(world.control.deps.storeEpoch, 'another');
    expect(await host.fetch()).toMatchObject({ storeEpoch: world.control.deps.storeEpoch });
    expect(host.etag).toBe(etag);
    await world.table.commit([
      { kind: 'update', key: keys.hostCapacity('default', host.hostId), add: [{ path: ['epoch'], by: 1 }], when: [] },
    ]);
    expect(await host.fetch()).toMatchObject({ hostEpoch: 2 });
  });

  it('carries the overrides of each task', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const override = { name: 'app', command: ['echo', 'hi'], environment: [{ name: 'A', value: '1' }] };
    await world.call('RunTask', { taskDefinition: 'job', overrides: { containerOverrides: [override] } });
    const [container] = (await host.fetch())?.tasks[0]?.spec.containers ?? [];
    expect(container?.command).toEqual(['echo', 'hi']);
    expect(container?.environment).toContainEqual({ name: 'A', value: '1' });
  });
});

describe('a report', () => {
  async function runningTask(world: World, host: ScriptedHost): Promise<string> {
    await world.register('job', { cpu: 100, memory: 100 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    await host.obey();
    return idOf(tasks[0]?.taskArn);
  }

  it('gives back what a task held exactly once, however often and in whatever order it comes', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 1000, memoryMib: 1000 });
    const id = await runningTask(world, host);
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    const running = entry.observation;
    host.end(id);
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: false };
    const stopped = { ...base, tasks: [{ taskId: id, desiredVersion: 1, observation: entry.observation }] };
    const late = { ...base, tasks: [{ taskId: id, desiredVersion: 1, observation: running }] };
    await Promise.all([stopped, stopped, late, stopped].map((report) => host.reportExactly(report)));
    for (const report of [late, stopped, late])
      expect(await host.reportExactly(report)).toMatchObject({ forget: [id] });
    expect(integers((await hostView(world)).remainingResources)).toEqual({ CPU: 1000, MEMORY: 1000 });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'STOPPED' }]);
    await world.loop('audit');
  });

  it('of many ends at once gives everything back', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 10_000, memoryMib: 10_000 });
    await world.register('job', { cpu: 10, memory: 10 });
    await world.call('RunTask', { taskDefinition: 'job', count: 80 });
    await host.obey();
    for (const id of host.tasks.keys()) host.end(id);
    const answer = await host.report();
    expect(answer.forget).toHaveLength(80);
    expect(integers((await hostView(world)).remainingResources)).toEqual({ CPU: 10_000, MEMORY: 10_000 });
    expect((await world.call('GetTasks', { desiredStatus: 'STOPPED' })).tasks).toHaveLength(80);
  });

  it("is heard only about the host's own tasks", async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'a' });
    const id = await runningTask(world, host);
    const stranger = await world.host({ name: 'b' });
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    host.end(id);
    const tasks = [{ taskId: id, desiredVersion: 1, observation: entry.observation }];
    const report = { storeEpoch: stranger.storeEpoch, hostEpoch: stranger.hostEpoch, full: false, tasks };
    expect(await stranger.reportExactly(report)).toMatchObject({ forget: [id] });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'RUNNING' }]);
  });

  it('of an unknown task is answered with: forget it', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const observation = { status: 'RUNNING' as const, sequence: 3, acceptedAt: 1, containers: [] };
    const taskId = 'a'.repeat(32);
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: true };
    expect(await host.reportExactly({ ...base, tasks: [{ taskId, desiredVersion: 1, observation }] })).toEqual({
      accepted: [{ taskId, sequence: 3 }],
      forget: [taskId],
    });
  });

  it('under a host epoch that is over is heard, and does not make the host placeable', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runningTask(world, host);
    await world.table.commit([
      {
        kind: 'update',
        key: keys.hostCapacity('default', host.hostId),
        add: [
          { path: ['epoch'], by: 1 },
          { path: ['generation'], by: 1 },
        ],
        when: [],
      },
    ]);
    world.advance(1);
    host.end(id);
    await host.report({ full: true });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'STOPPED' }]);
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.fetch();
    await host.report({ full: true });
    expect((await world.call('RunTask', request)).failures).toEqual([]);
  });

  it('that moves a task backwards is acknowledged, logged, and changes nothing', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runningTask(world, host);
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    const observation = { ...entry.observation, status: 'PENDING' as const, sequence: 99 };
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: false };
    const tasks = [{ taskId: id, desiredVersion: 1, observation }];
    expect(await host.reportExactly({ ...base, tasks })).toEqual({
      accepted: [{ taskId: id, sequence: 99 }],
      forget: [],
    });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'RUNNING' }]);
    expect(world.logged).toMatchObject([{ msg: 'an observation was not accepted', taskId: id }]);
  });

  it('under another store epoch is refused', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const report = { storeEpoch: 'another', hostEpoch: host.hostEpoch, full: true, tasks: [] };
    await expect(host.reportExactly(report)).rejects.toMatchObject({ status: 409, code: 'ConflictException' });
  });
});

describe('a silent host', () => {
  it('gets nothing more after three heartbeats, and is back with its next fetch', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const beat = async (count: number) => {
      for (let index = 0; index < count; index += 1) {
        world.advance(5);
        await world.loop('mark-silent');
      }
    };
    await world.loop('mark-silent');
    await beat(3);
    expect((await hostView(world)).agentConnected).toBe(true);
    await beat(1);
    expect((await hostView(world)).agentConnected).toBe(false);
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    const waiting = await world.call('RunTask', { taskDefinition: 'job' });
    await host.fetch();
    await world.control.loops.idle();
    expect((await hostView(world)).agentConnected).toBe(true);
    const ids = waiting.tasks.map(({ taskArn }) => idOf(taskArn));
    expect((await world.call('DescribeTasks', { tasks: ids })).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
    await beat(3);
    await host.heartbeat();
    await beat(3);
    expect((await hostView(world)).agentConnected).toBe(true);
  });

  it('is not marked when its heartbeat comes in the moment of the mark', async () => {
    let beat = async (): Promise<void> => {};
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          const marks = changes.some((change) => change.kind === 'update' && change.set?.[0]?.value === false);
          if (marks) await beat();
          return forward(changes);
        }),
    });
    const host = await world.host();
    let beats = 0;
    beat = async () => {
      beats += 1;
      await host.heartbeat();
    };
    for (let count = 0; count < 5; count += 1) {
      await world.loop('mark-silent');
      world.advance(5);
    }
    expect([beats, (await hostView(world)).agentConnected]).toEqual([1, true]);
  });

  it('is not blamed for time in which the control plane was away', async () => {
    await using world = await startWorld();
    await world.host();
    await world.loop('mark-silent');
    world.advance(3600);
    await world.loop('mark-silent');
    expect((await hostView(world)).agentConnected).toBe(true);
    for (let index = 0; index < 4; index += 1) {
      world.advance(5);
      await world.loop('mark-silent');
    }
    expect((await hostView(world)).agentConnected).toBe(false);
  });
});
