import { describe, expect, it } from 'vitest';
import { drainForConsolidation, drainNoticed } from '../../control/hosts/drain-instance.ts';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { allTasks, statuses } from './support/busy-sim.ts';
import { CapacitySim } from './support/capacity-sim.ts';
import { offerOf } from './support/fake-fleet.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { idOf, startWorld, type World, type WorldOptions } from './support/world.ts';

const arn = (id: string): string => `arn:aws:ecs:us-east-1:000000000000:task/default/${id}`;
const protect = (world: World, tasks: string[], members: object = {}) =>
  world.call('UpdateTaskProtection', { cluster: 'default', tasks, protectionEnabled: true, ...members });
const protectionOf = (world: World, ...tasks: string[]) =>
  world.call('GetTaskProtection', { cluster: 'default', tasks });
const statusOf = async (world: World, id: string) => (await world.call('GetTask', { task: id })).task.lastStatus;
const successorsOf = async (world: World): Promise<string[]> =>
  (await world.call('GetTasks', {})).tasks.map(({ taskArn }) => idOf(taskArn));

/** Two hosts, and a task on the first one that may be replaced. */
async function startMovable(options: WorldOptions = {}) {
  const world = await startWorld(options);
  await world.register('job', { memory: 100 });
  const host = await world.host({ name: 'first' });
  const tags = [{ key: 'gantry:replaceable', value: 'true' }];
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', tags });
  await host.obey();
  const other = await world.host({ name: 'second' });
  return { world, host, other, id: idOf(tasks[0]?.taskArn) };
}

async function drainRounds(world: World, hosts: readonly ScriptedHost[], rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await world.loop('drain-hosts');
    await world.loop('place-pending');
    for (const host of hosts) await host.obey();
  }
}

describe.each(['sqlite', 'dynamodb'] as const)('protection over %s', (store) => {
  it('is set, answered, runs out, is prolonged and taken away', async () => {
    const { world, id } = await startMovable({ store });
    await using _ = world;
    expect(await protectionOf(world, id)).toEqual({
      protectedTasks: [{ taskArn: arn(id), protectionEnabled: false }],
      failures: [],
    });
    const inMinutes = (minutes: number) => new Date(world.now() + minutes * 60_000);
    const { protectedTasks } = await protect(world, [arn(id)]);
    expect(protectedTasks).toEqual([{ taskArn: arn(id), protectionEnabled: true, expirationDate: inMinutes(120) }]);
    expect((await protectionOf(world, id)).protectedTasks).toEqual(protectedTasks);
    expect((await world.call('GetTask', { task: id })).task.protectedUntil).toEqual(inMinutes(120));
    world.advance(60 * 119);
    const longer = await protect(world, [id], { expiresInMinutes: 2 });
    expect(longer.protectedTasks).toMatchObject([{ expirationDate: inMinutes(2) }]);
    world.advance(120);
    expect((await protectionOf(world, id)).protectedTasks).toEqual([{ taskArn: arn(id), protectionEnabled: false }]);
    await protect(world, [id]);
    const gone = await protect(world, [id], { protectionEnabled: false });
    expect(gone.protectedTasks).toEqual([{ taskArn: arn(id), protectionEnabled: false }]);
  });

  it('and a drain at the same time: the task moves once or not at all', async () => {
    const { world, host, other, id } = await startMovable({ store });
    await using _ = world;
    const notice = { stopCode: 'TerminationNotice' as const, reason: 'Rebalance.' };
    const [{ protectedTasks }] = await Promise.all([
      protect(world, [id]),
      drainNoticed(world.control.deps, { cluster: 'default', hostId: host.hostId }, notice),
    ]);
    expect(protectedTasks).toHaveLength(1);
    await drainRounds(world, [host, other]);
    expect(await statusOf(world, id)).toBe('RUNNING');
    expect(await breaches(world.table)).toEqual([]);
  });
});

describe('a protected task', () => {
  it('is not moved by a rebalance while it is protected, and is after that', async () => {
    const { world, host, other, id } = await startMovable();
    await using _ = world;
    await protect(world, [id], { expiresInMinutes: 10 });
    const notice = { stopCode: 'TerminationNotice' as const, reason: 'Rebalance.' };
    await drainNoticed(world.control.deps, { cluster: 'default', hostId: host.hostId }, notice);
    await drainRounds(world, [host, other]);
    expect(await successorsOf(world)).toEqual([id]);
    world.advance(600);
    for (const each of [host, other]) await each.heartbeat();
    await drainRounds(world, [host, other], 5);
    expect(await successorsOf(world)).toHaveLength(2);
    expect(await statusOf(world, id)).toBe('STOPPED');
    const { tasks } = await world.call('GetTasks', { desiredStatus: 'RUNNING' });
    expect(tasks).toMatchObject([{ hostName: 'second', lastStatus: 'RUNNING' }]);
    expect((await protectionOf(world, idOf(tasks[0]?.taskArn))).protectedTasks).toMatchObject([
      { protectionEnabled: false },
    ]);
  });

  it('is not moved by a consolidation, whatever its deadline, and its host is used again', async () => {
    const { world, host, other, id } = await startMovable();
    await using _ = world;
    await protect(world, [id]);
    const capacity = await getHostCapacity(world.table, 'default', host.hostId);
    if (capacity === undefined) throw new Error('the host is there');
    const deadline = world.now() + 10_000;
    const drain = { why: 'it is not needed', deadline, giveUpAt: world.now() + 20_000 };
    expect(await drainForConsolidation(world.control.deps, capacity, drain)).toBe(true);
    for (let round = 0; round < 4; round += 1) {
      world.advance(10);
      for (const each of [host, other]) await each.heartbeat();
      await drainRounds(world, [host, other], 1);
    }
    expect(await successorsOf(world)).toEqual([id]);
    expect(await statusOf(world, id)).toBe('RUNNING');
    expect((await world.call('GetHost', { host: 'first' })).host.status).toBe('ACTIVE');
  });

  it('goes with its machine at the deadline, beside its successor until then', async () => {
    const { world, host, other, id } = await startMovable();
    await using _ = world;
    await protect(world, [id]);
    const notice = { deadline: world.now() + 60_000, stopCode: 'SpotInterruption' as const, reason: 'Taken back.' };
    await drainNoticed(world.control.deps, { cluster: 'default', hostId: host.hostId }, notice);
    await drainRounds(world, [host, other]);
    expect(await successorsOf(world)).toHaveLength(2);
    expect(await statusOf(world, id)).toBe('RUNNING');
    world.advance(60);
    for (const each of [host, other]) await each.heartbeat();
    await drainRounds(world, [host, other]);
    expect(await statusOf(world, id)).toBe('STOPPED');
  });

  it('is stopped by whoever asks for its end, and then protected no more', async () => {
    const { world, host, id } = await startMovable();
    await using _ = world;
    await protect(world, [id]);
    await world.call('StopTask', { task: id });
    const refused = { protectedTasks: [], failures: [{ arn: arn(id), reason: 'TASK_NOT_VALID' }] };
    expect(await protectionOf(world, id)).toEqual(refused);
    expect(await protect(world, [id])).toEqual(refused);
    await host.obey();
    expect(await statusOf(world, id)).toBe('STOPPED');
    expect(await protectionOf(world, id)).toEqual(refused);
  });

  it('keeps its host from being consolidated away', async () => {
    await using sim = await CapacitySim.start({
      policy: { consolidation: 'replace', idleSeconds: 60 },
      fleet: { offers: [{ ...offerOf('small'), zones: ['zone-a'] }] },
    });
    const loop = await sim.process({ fleet: sim.fleet });
    const left: string[] = [];
    for (const _ of [1, 2]) {
      const [first = '', second = ''] = await sim.runTasks(2, 'replaceable-job');
      await loop.run('buy-capacity');
      for (let round = 0; round < 3; round += 1) await sim.moveHosts();
      await loop.run('buy-capacity');
      await sim.finish([first]);
      left.push(second);
    }
    const ask = (protectionEnabled: boolean) =>
      sim.call('UpdateTaskProtection', { cluster: 'default', tasks: left, protectionEnabled });
    await ask(true);
    const rounds = async () => {
      for (let round = 0; round < 20; round += 1) {
        sim.advance(20);
        await loop.run('drain-hosts', 'buy-capacity');
        await sim.moveHosts();
      }
    };
    await rounds();
    expect(await statuses(sim, left)).toEqual(['RUNNING', 'RUNNING']);
    expect((await allTasks(sim)).filter(({ replaces }) => replaces !== undefined)).toEqual([]);
    expect(sim.fleet.living).toHaveLength(2);
    await ask(false);
    await rounds();
    expect((await allTasks(sim)).filter(({ replaces }) => replaces !== undefined)).toHaveLength(1);
    expect(sim.fleet.living).toHaveLength(1);
  });
});

describe('UpdateTaskProtection', () => {
  it('answers a failure for each task that there is not, and protects the others', async () => {
    const { world, id } = await startMovable();
    await using _ = world;
    const none = 'a'.repeat(32);
    const answer = await protect(world, [none, id, 'x', id]);
    expect(answer.protectedTasks).toMatchObject([{ taskArn: arn(id), protectionEnabled: true }]);
    expect(answer.failures).toEqual([
      { arn: arn(none), reason: 'MISSING' },
      { arn: arn('x'), reason: 'MISSING' },
    ]);
    expect((await protectionOf(world, none, 'x')).failures).toEqual(answer.failures);
  });

  it.each([
    [{ expiresInMinutes: 0 }, 'expiresInMinutes'],
    [{ expiresInMinutes: 2881 }, 'expiresInMinutes'],
    [{ tasks: [] }, 'tasks'],
    [{ tasks: Array.from({ length: 11 }, (_, index) => `${index}`) }, 'tasks'],
    [{ protectionEnabled: undefined }, 'protectionEnabled'],
    [{ tasks: ['arn:aws:ecs:us-east-1:000000000000:task/other/x'] }, 'tasks[0]'],
  ])('refuses %j', async (members, field) => {
    const { world } = await startMovable();
    await using _ = world;
    await expect(protect(world, ['a'.repeat(32)], members)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field,
    });
    await expect(world.call('GetTaskProtection', { cluster: 'default' })).rejects.toMatchObject({ field: 'tasks' });
    await expect(protect(world, ['x'], { cluster: 'nowhere' })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
  });
});
