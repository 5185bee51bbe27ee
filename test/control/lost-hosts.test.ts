import { describe, expect, it } from 'vitest';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { clusterLostHosts } from '../../control/store/lost-hosts.ts';
import { Death } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { hostView, idOf, type StoreKind, startWorld, type World, type WorldOptions } from './support/world.ts';

const always = [{ key: 'gantry:replaceable', value: 'always' }];
const replaceable = [{ key: 'gantry:replaceable' }];

/** Looks as the timer would, for so long; `heard` send their heartbeats. */
async function pass(world: World, seconds: number, heard: readonly ScriptedHost[] = []): Promise<void> {
  const { heartbeatSeconds } = world.control.deps.settings;
  for (let left = seconds; left > 0; left -= heartbeatSeconds) {
    world.advance(heartbeatSeconds);
    for (const host of heard) await host.heartbeat();
    await world.loop('mark-silent');
  }
}

/** Waits for less than the default, so that fewer looks are needed. */
async function startQuick(options: WorldOptions & { lostAfter?: string } = {}): Promise<World> {
  const world = await startWorld(options);
  const settings = [{ name: 'gantry:hostLostAfterSeconds', value: options.lostAfter ?? '60' }];
  await world.call('UpdateClusterSettings', { cluster: 'default', settings });
  await world.register('job', { cpu: 10, memory: 10 });
  await world.loop('mark-silent');
  return world;
}

/** Longer than silence, a minute of receiving and the setting. */
const longEnough = 90;

async function run(world: World, host: ScriptedHost, tags: readonly object[] = [], count = 1): Promise<string[]> {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count, tags });
  await host.obey();
  return tasks.map(({ taskArn }) => idOf(taskArn));
}

const taskOf = async (world: World, task: string) => (await world.call('GetTask', { task })).task;
const live = async (world: World) => (await world.call('ListTasks', {})).taskArns.map(idOf);

describe('a host that is silent for too long', () => {
  it.each<StoreKind>(['sqlite', 'dynamodb'])('is lost once, with all of its tasks (%s)', async (store) => {
    await using world = await startQuick({ store });
    const host = await world.host({ cpuUnits: 100_000, memoryMib: 100_000 });
    const ids = await run(world, host, [], 40);
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    const unheard = idOf(tasks[0]?.taskArn);
    await world.call('StopTask', { task: ids[1], reason: 'not needed' });
    const heardAt = world.now();
    await pass(world, 55);
    expect((await taskOf(world, ids[0] ?? '')).lastStatus).toBe('RUNNING');
    const other = await world.another();
    for (let look = 0; look < 6; look += 1) {
      world.advance(5);
      await Promise.all([world.loop('mark-silent'), world.loop('mark-silent', other)]);
    }
    expect(await taskOf(world, ids[0] ?? '')).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'InfrastructureHealth',
      stoppedReason: `HostLost: host-1 was last heard of at ${new Date(heardAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
      mayStillRun: true,
      cannot: {},
    });
    expect(await taskOf(world, ids[1] ?? '')).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: expect.stringContaining('not needed (HostLost'),
    });
    expect(await taskOf(world, unheard)).toMatchObject({ stopCode: 'TaskFailedToStart', lastStatus: 'STOPPED' });
    expect(await live(world)).toEqual([]);
    // Once, and nothing is given away that may be in use.
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toMatchObject({ epoch: 2, taskCount: 41 });
    expect(await hostView(world)).toMatchObject({ agentConnected: false, condition: 'LOST' });
    const { task: stopped } = await world.call('GetTask', { task: ids[39] ?? '' });
    await pass(world, 60);
    expect((await taskOf(world, ids[39] ?? '')).version).toBe(stopped.version);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('runs on what was not replaced when it is back, takes nothing before it has reported, and stops what it is asked to', async () => {
    await using world = await startQuick();
    const host = await world.host();
    const [id = '', other = ''] = await run(world, host, [], 2);
    await pass(world, longEnough);
    await host.heartbeat();
    expect(await hostView(world)).toMatchObject({ agentConnected: true, condition: 'REPORTING' });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    expect(tasks).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    await host.fetch();
    expect(host.hostEpoch).toBe(2);
    expect([...host.tasks.values()].some(({ toStop }) => toStop)).toBe(false);
    await host.report({ full: true });
    await world.control.loops.idle();
    expect(await hostView(world)).not.toHaveProperty('condition');
    expect((await taskOf(world, idOf(tasks[0]?.taskArn))).lastStatus).toBe('PENDING');
    await pass(world, 5, [host]);
    expect(await clusterLostHosts(world.table, 'default')).toEqual([]);
    expect((await taskOf(world, id)).headline).toContain('it may still run there');
    // Its end is history, and gives back what it held.
    host.end(id, 3);
    await host.report();
    expect(await taskOf(world, id)).toMatchObject({ stopCode: 'InfrastructureHealth', containers: [{ exitCode: 3 }] });
    expect(await taskOf(world, id)).not.toHaveProperty('mayStillRun');
    await world.call('StopTask', { task: other });
    await host.obey();
    expect(host.tasks.has(other)).toBe(false);
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toMatchObject({ taskCount: 1 });
    expect(await breaches(world.table)).toEqual([]);
  });

  it('is not forgotten with what it runs, however long it is away', async () => {
    await using world = await startQuick();
    const host = await world.host();
    const [id = ''] = await run(world, host);
    await pass(world, longEnough);
    world.advance(30 * 24 * 3600);
    await world.loop('collect-garbage');
    await host.obey();
    await host.report({ full: true });
    expect((await taskOf(world, id)).mayStillRun).toBe(true);
    expect(host.tasks.has(id)).toBe(true);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('that comes and goes is never lost, and its silence begins anew each time', async () => {
    await using world = await startQuick();
    const host = await world.host();
    const [id = ''] = await run(world, host);
    for (let round = 0; round < 4; round += 1) {
      await pass(world, 50);
      expect((await hostView(world)).condition).toBe('SILENT');
      await host.heartbeat();
      await world.loop('mark-silent');
    }
    expect((await taskOf(world, id)).lastStatus).toBe('RUNNING');
    expect(await clusterLostHosts(world.table, 'default')).toEqual([]);
  });

  it('keeps the tasks that have no verdict yet when it comes back in the middle', async () => {
    // Of the decision and three chunks of verdicts, the process ends after the first chunk.
    const death = new Death(4, 'before');
    await using world = await startQuick({ wrap: death.wrap });
    const host = await world.host({ cpuUnits: 100_000, memoryMib: 100_000 });
    await run(world, host, [], 70);
    await pass(world, 55);
    death.arm();
    await pass(world, 5);
    expect(death.happened).toBe(true);
    const other = await world.another();
    host.control = other;
    await host.fetch();
    await host.report({ full: true });
    await world.loop('mark-silent', other);
    const { taskArns } = await world.call('ListTasks', {}, { control: other });
    expect(taskArns).toHaveLength(38);
    expect(await breaches(world.table)).toEqual([]);
  });

  it.each([2, 3, 5].flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]))(
    'is given up by the next process where one dies at commit %i, %s it',
    async (at, when) => {
      const death = new Death(at, when);
      await using world = await startQuick({ wrap: death.wrap });
      const host = await world.host({ cpuUnits: 100_000, memoryMib: 100_000 });
      const ids = await run(world, host, always, 40);
      await pass(world, 55);
      death.arm();
      const other = await world.another();
      for (let left = 4; left > 0; left -= 1) {
        world.advance(5);
        await world.loop('mark-silent');
        await world.loop('mark-silent', other);
      }
      const { tasks } = await world.call('DescribeTasks', { tasks: ids }, { control: other });
      expect(new Set(tasks.map(({ lastStatus }) => lastStatus))).toEqual(new Set(['STOPPED']));
      expect(new Set(tasks.map(({ replacedByTaskArn }) => replacedByTaskArn)).size).toBe(40);
      expect((await world.call('ListTasks', {}, { control: other })).taskArns).toHaveLength(40);
      expect(await breaches(world.table)).toEqual([]);
    },
  );
});

describe('nothing is given up', () => {
  it('for time in which the control plane was away, however long, nor at once when it is back', async () => {
    await using world = await startQuick();
    const host = await world.host();
    const [id = ''] = await run(world, host);
    await pass(world, 45);
    for (const hours of [1, 24, 24 * 30]) {
      world.advance(hours * 3600);
      await pass(world, 55);
      expect((await taskOf(world, id)).lastStatus).toBe('RUNNING');
    }
    await host.obey();
    expect([...host.tasks.keys()]).toEqual([id]);
    expect((await taskOf(world, id)).connectivity).toBe('CONNECTED');
  });

  it('by what a process has not seen itself, and what each has seen is added up', async () => {
    await using world = await startQuick({ lostAfter: '200' });
    const host = await world.host();
    const [id = ''] = await run(world, host);
    await pass(world, 100);
    // An hour with nobody; then others, each of which has seen less than the setting.
    world.advance(3600);
    const other = await world.another();
    const lookBy = async (times: number) => {
      for (let look = 0; look < times; look += 1) {
        world.advance(5);
        await world.loop('mark-silent', other);
      }
    };
    await lookBy(18);
    expect((await taskOf(world, id)).lastStatus).toBe('RUNNING');
    await lookBy(4);
    expect((await taskOf(world, id)).lastStatus).toBe('STOPPED');
  });

  it('while more than a fifth of the hosts are silent, and then for those that are few', async () => {
    await using world = await startQuick({ settings: { heartbeatSeconds: 60 } });
    const hosts: ScriptedHost[] = [];
    for (let index = 0; index < 10; index += 1) hosts.push(await world.host({ name: `host-${index}`, cpuUnits: 100 }));
    const { tasks } = await world.call('RunTask', {
      taskDefinition: 'job',
      count: 10,
      placementStrategy: [{ type: 'spread', field: 'instanceId' }],
    });
    for (const host of hosts) await host.obey();
    expect(new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).size).toBe(10);
    await pass(world, 300, hosts.slice(3));
    expect(await live(world)).toHaveLength(10);
    expect(world.logged.some(({ msg }) => msg.includes('so many are'))).toBe(true);
    await pass(world, 60, hosts.slice(2));
    expect(await live(world)).toHaveLength(8);
    // An hour later those two are an old story, and of the eight others one may go.
    await pass(world, 3600, hosts.slice(2));
    await pass(world, 300, hosts.slice(3));
    expect(await live(world)).toHaveLength(7);
  });

  it('where the cluster says never', async () => {
    await using world = await startQuick({ lostAfter: '0' });
    const [id = ''] = await run(world, await world.host());
    await pass(world, 900);
    expect((await taskOf(world, id)).lastStatus).toBe('RUNNING');
  });

  it('by default before ten minutes', async () => {
    await using world = await startQuick({ lostAfter: '600' });
    const settings = (await world.call('DescribeClusters', { clusters: ['default'], include: ['SETTINGS'] })).clusters;
    expect(settings[0]?.settings).toEqual([{ name: 'gantry:hostLostAfterSeconds', value: '600' }]);
    await world.call('CreateCluster', { clusterName: 'plain' });
    const token = await world.control.joinTokens.create({ cluster: 'plain', reusable: false });
    const host = await world.host({ cluster: 'plain', token });
    const { tasks } = await world.call('RunTask', { cluster: 'plain', taskDefinition: 'job' });
    await host.obey();
    await pass(world, 595);
    const status = async () =>
      (await world.call('GetTask', { cluster: 'plain', task: idOf(tasks[0]?.taskArn) })).task.lastStatus;
    expect(await status()).toBe('RUNNING');
    await pass(world, 5);
    expect(await status()).toBe('STOPPED');
  });

  it.each(['59', '1000000', '-1', '6e2', 'never'])(
    'by a setting of %s, which is refused by its path',
    async (value) => {
      await using world = await startWorld();
      const settings = [{ name: 'gantry:hostLostAfterSeconds', value }];
      await expect(world.call('UpdateClusterSettings', { cluster: 'default', settings })).rejects.toMatchObject({
        code: 'InvalidParameterException',
        field: 'settings[0].value',
      });
    },
  );
});

describe('a task that may be replaced', () => {
  /** Two hosts, and a task on the first, which then is silent. */
  async function lose(tags: readonly object[]) {
    const world = await startQuick();
    const host = await world.host();
    const [id = ''] = await run(world, host, tags);
    const other = await world.host({ name: 'host-2' });
    await pass(world, longEnough, [other]);
    await world.control.loops.idle();
    return { world, host, other, id, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  }

  it('has no second copy while nobody can know whether it runs', async () => {
    await using lost = await lose(replaceable);
    const { world, other, id } = lost;
    expect(await taskOf(world, id)).toMatchObject({ lastStatus: 'STOPPED', mayStillRun: true });
    await pass(world, 300, [other]);
    expect(await live(world)).toEqual([]);
    await other.obey();
    expect(other.started).toEqual([]);
  });

  it('has its successor when the host is back, and is stopped once that runs', async () => {
    await using lost = await lose(replaceable);
    const { world, host, other, id } = lost;
    await host.fetch();
    await host.report({ full: true });
    await pass(world, 5, [host, other]);
    await world.control.loops.idle();
    const [successor = ''] = await live(world);
    expect(await taskOf(world, successor)).toMatchObject({ replacesTaskArn: expect.stringContaining(id) });
    await host.obey();
    const copies = () => [host, other].flatMap(({ started }) => started);
    expect(copies()).toContain(id);
    expect(host.tasks.get(id)?.toStop).toBe(false);
    for (const each of [host, other]) await each.obey();
    await pass(world, 5, [host, other]);
    await host.obey();
    expect(host.tasks.has(id)).toBe(false);
    expect(await live(world)).toEqual([successor]);
    expect(await clusterLostHosts(world.table, 'default')).toEqual([]);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('has its successor when somebody says that the host is gone', async () => {
    await using lost = await lose(replaceable);
    const { world, host, other, id } = lost;
    await world.call('DeregisterContainerInstance', { containerInstance: host.hostId, force: true });
    await world.control.loops.idle();
    const [successor = ''] = await live(world);
    expect(await taskOf(world, id)).toMatchObject({ replacedByTaskArn: expect.stringContaining(successor) });
    await other.obey();
    expect(other.started).toEqual([successor]);
    await pass(world, 5, [other]);
    expect(await clusterLostHosts(world.table, 'default')).toEqual([]);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('has it at once where the caller has said so, and a host that is back stops what was replaced', async () => {
    await using lost = await lose(always);
    const { world, host, other, id } = lost;
    const [successor = ''] = await live(world);
    await other.obey();
    await pass(world, 5, [other]);
    expect(other.started).toEqual([successor]);
    expect(await live(world)).toEqual([successor]);
    await host.fetch();
    expect(host.tasks.get(id)?.toStop).toBe(true);
    await host.report({ full: true });
    await host.obey();
    expect(host.tasks.size).toBe(0);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('keeps its one successor also where that is lost before anybody has heard that it runs', async () => {
    await using lost = await lose(replaceable);
    const { world, host, other, id } = lost;
    await world.call('UpdateContainerInstancesState', { containerInstances: [host.hostId], status: 'DRAINING' });
    await host.fetch();
    await host.report({ full: true });
    await pass(world, 5, [host, other]);
    await world.control.loops.idle();
    const [successor = ''] = await live(world);
    expect((await taskOf(world, successor)).hostName).toBe('host-2');
    await pass(world, longEnough, [host]);
    expect(await taskOf(world, successor)).toMatchObject({ lastStatus: 'STOPPED', mayStillRun: true });
    expect(await live(world)).toEqual([]);
    expect((await taskOf(world, id)).replacedByTaskArn).toContain(successor);
  });
});
