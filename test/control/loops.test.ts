import { describe, expect, it } from 'vitest';
import { expireWaiting } from '../../control/loops/expire-waiting.ts';
import type { LoopName } from '../../control/loops/loop.ts';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { keys } from '../../control/store/keys.ts';
import { listOpenRequest, openRequests } from '../../control/store/requests.ts';
import type { Change } from '../../control/store/table.ts';
import { interceptCommits, Meanwhile } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { errorLevel, idOf, startWorld, type World } from './support/world.ts';

const run = async (world: World, request: object): Promise<string[]> =>
  (await world.call('RunTask', request)).tasks.map(({ taskArn }) => idOf(taskArn));

/** Something of everything that loops look at. */
async function busyWorld(): Promise<World & { readonly first: ScriptedHost }> {
  const world = await startWorld({ settings: { retentionSeconds: 30 } });
  await world.register('job', { memory: 100 });
  const first = await world.host({ name: 'first', memoryMib: 1000 });
  await run(world, { taskDefinition: 'job', count: 12, placementTimeoutSeconds: 20 });
  await first.obey();
  for (const id of [...first.tasks.keys()].slice(0, 3)) first.end(id);
  await world.loop('mark-silent');
  return Object.assign(world, { first });
}

const loopNames: LoopName[] = [
  'place-pending',
  'expire-waiting',
  'finish-requests',
  'mark-silent',
  'collect-garbage',
  'forget-revisions',
  'audit',
];

describe('a loop', () => {
  it.each(loopNames)('%s does nothing more when it is activated again', async (name) => {
    let writes = 0;
    await using world = await busyWorld();
    await world.first.report();
    for (let step = 0; step < 4; step += 1) {
      world.advance(10);
      if (step > 1) await world.first.heartbeat();
      await world.loop(name);
      await world.loop(name);
      const counting = await startCounting(world);
      counting.control.loops.activate(name);
      await counting.control.loops.idle();
      writes += counting.changes().filter(({ kind, ...change }) => !isReceiving({ kind, ...change } as Change)).length;
      expect(await breaches(world.table), name).toEqual([]);
    }
    expect(writes, name).toBe(0);
    expect(world.logged.filter(({ level }) => level >= errorLevel)).toEqual([]);
  });
});

/** mark-silent says each time that the control plane is there. */
const isReceiving = (change: Change): boolean => change.kind === 'put' && change.item.sk === keys.receiving().sk;

async function startCounting(world: World) {
  const written: Change[] = [];
  const control = await world.another((table) =>
    interceptCommits(table, (changes, forward) => {
      written.push(...changes);
      return forward(changes);
    }),
  );
  return { control, changes: () => written };
}

describe('expire-waiting', () => {
  it('asks for the time of the next deadline, and comes back soon where others were quicker', async () => {
    let conflicts = 0;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          conflicts -= 1;
          return conflicts < 0 ? forward(changes) : { outcome: 'conflict' };
        }),
    });
    await world.register('job');
    await run(world, { taskDefinition: 'job', placementTimeoutSeconds: 30 });
    await run(world, { taskDefinition: 'job', placementTimeoutSeconds: 50 });
    await world.control.loops.idle();
    const activate = () => expireWaiting.activate(world.control.deps, 'default');
    const start = world.now();
    expect(await activate()).toEqual({ changed: 0, againAt: start + 30_000 });
    world.advance(30);
    conflicts = 1;
    expect(await activate()).toEqual({ changed: 0, againAt: start + 31_000 });
    expect(await activate()).toEqual({ changed: 1, againAt: start + 50_000 });
    world.advance(20);
    expect(await activate()).toEqual({ changed: 1 });
    expect(await activate()).toEqual({ changed: 0 });
  });

  it('leaves a task alone that was placed meanwhile', async () => {
    const meanwhile = new Meanwhile();
    await using world = await startWorld({ wrap: meanwhile.wrap });
    const other = await world.another();
    await world.register('job');
    const ids = await run(world, { taskDefinition: 'job', placementTimeoutSeconds: 30 });
    await world.control.loops.idle();
    world.advance(29);
    await world.host({ control: other, memoryMib: 64 });
    world.advance(1);
    meanwhile.next(async () => {
      world.advance(-1);
      await world.host({ name: 'large', control: other });
      await other.loops.idle();
      world.advance(1);
    });
    await world.loop('expire-waiting');
    expect((await world.call('DescribeTasks', { tasks: ids })).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
    expect(await breaches(world.table)).toEqual([]);
  });
});

describe('finish-requests', () => {
  it('does not let one request hold up those behind it', async () => {
    const broken = { cluster: 'default', token: 'token:broken', createdAt: Date.UTC(2100, 0, 1) };
    let commits = 0;
    let finishing = false;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          const records = changes.flatMap((change) => (change.kind === 'put' ? [change.item] : []));
          const tokens = records.filter(({ sk }) => sk === 'request').map(({ data }) => data.token);
          if (finishing && tokens.includes('token:broken')) throw new Error('this one cannot be written');
          if (!finishing && tokens.length > 0 && ++commits % 2 === 0) throw new Error('the process is gone');
          return forward(changes);
        }),
    });
    await world.host({ memoryMib: 20_000 });
    await world.register('job', { memory: 100 });
    for (const clientToken of ['broken', 'fine']) {
      const call = world.call('RunTask', { taskDefinition: 'job', count: 30, clientToken });
      await expect(call).rejects.toThrow('the process is gone');
    }
    finishing = true;
    world.advance(10);
    await world.loop('finish-requests');
    expect(await openRequests(world.table)).toEqual([broken]);
    expect((await world.call('ListTasks', {})).taskArns).toHaveLength(24 + 30);
    expect(world.logged).toMatchObject([{ level: errorLevel, token: 'token:broken' }]);
  });

  it('takes listings away of requests that are finished or gone', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    await run(world, { taskDefinition: 'job', clientToken: 'done' });
    for (const token of ['token:done', 'token:gone']) {
      await world.table.commit([listOpenRequest({ cluster: 'default', token, createdAt: world.now() - 60_000 })]);
    }
    await world.loop('finish-requests');
    expect(await openRequests(world.table)).toEqual([]);
    expect((await world.call('ListTasks', {})).taskArns).toHaveLength(1);
  });
});

describe('audit', () => {
  it('names every difference between a host and its tasks, and repairs none', async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'odd', cpuUnits: 1000, memoryMib: 1000 });
    await world.register('web', { cpu: 100, memory: 100, hostPort: 80 });
    await run(world, { taskDefinition: 'web' });
    await world.loop('audit');
    expect(world.logged).toEqual([]);
    await world.table.commit([
      {
        kind: 'update',
        key: keys.hostCapacity('default', host.hostId),
        set: [{ path: ['ports', 'tcp/81'], value: 'x' }],
        add: [{ path: ['freeMemoryMib'], by: -7 }],
        remove: [['groups', 'family:web']],
        when: [],
      },
    ]);
    const before = await getHostCapacity(world.table, 'default', host.hostId);
    await world.loop('audit');
    expect(world.logged).toMatchObject([
      {
        level: errorLevel,
        host: 'odd',
        drift: [
          'free MiB: 893 recorded, 900 by its tasks',
          'port tcp/81: x recorded, undefined by its tasks',
          'tasks of group family:web: undefined recorded, 1 by its tasks',
        ],
      },
    ]);
    expect(await getHostCapacity(world.table, 'default', host.hostId)).toEqual(before);
  });
});

describe('collect-garbage', () => {
  it('deletes what has been stopped for longer than the retention, and nothing younger', async () => {
    await using world = await startWorld({ store: 'dynamodb', settings: { retentionSeconds: 100 } });
    await world.register('job');
    const [older = '', younger = ''] = await run(world, { taskDefinition: 'job', count: 2 });
    await world.call('StopTask', { task: older });
    world.advance(50);
    await world.call('StopTask', { task: younger });
    const kept = async () =>
      (await world.table.getMany([older, younger].map(keys.task))).map(({ pk }) => pk.slice('task#'.length));
    world.advance(49);
    await world.loop('collect-garbage');
    expect((await kept()).sort()).toEqual([older, younger].sort());
    world.advance(1);
    await world.loop('collect-garbage');
    expect(await kept()).toEqual([younger]);
    await world.loop('collect-garbage');
    expect(await kept()).toEqual([younger]);
  });
});
