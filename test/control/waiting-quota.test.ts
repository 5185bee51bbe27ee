/** Quotas of waiting tasks: never one too many, whoever asks at once, and nothing is refused that fits. */
import { describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import { getTask } from '../../control/store/tasks.ts';
import { waitingTasks } from '../../control/store/waiting-tasks.ts';
import { startSuccessors } from '../../control/tasks/successors.ts';
import type { Output } from '../../core/api/operations.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { idOf, startWorld, type World } from './support/world.ts';

const accessKeyId = 'GKIA00000000000QUOTA';
const bound = (cluster = 'default') => keys.waitingQuota(accessKeyId, cluster);

/** As a key that may have so many tasks waiting. */
const runner =
  (world: World, maxWaitingTasks: number) =>
  (count: number, more: object = {}, control = world.control) =>
    world.call('RunTask', { taskDefinition: 'job', count, ...more }, { control, as: { accessKeyId, maxWaitingTasks } });

const countOf = async (world: World, cluster = 'default'): Promise<number> =>
  (await waitingTasks(world.table, cluster, { eventual: false })).length;

const refused = ({ failures }: Output<'RunTask'>) => failures.map(({ reason, detail }) => ({ reason, detail }));

const refusal = (quota: string, waiting: number) => ({
  reason: 'QUOTA:WAITING_TASKS',
  detail:
    `the access key ${accessKeyId} may have ${quota} waiting in the cluster default (maxWaitingTasks), ` +
    `and ${waiting} wait now: ask again when some of them have been placed`,
});

describe.each(['sqlite', 'dynamodb'] as const)('a quota of waiting tasks over %s', (store) => {
  it('is kept exactly by calls at once, on two control planes', async () => {
    await using world = await startWorld({ store });
    await world.register('job');
    const run = runner(world, 25);
    const controls = [world.control, await world.another()];
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => run(4, {}, controls[index % 2])));
    expect(await countOf(world)).toBe(25);
    expect(answers.flatMap(({ tasks }) => tasks)).toHaveLength(25);
    expect(new Set(answers.flatMap(refused).map(({ reason }) => reason))).toEqual(new Set(['QUOTA:WAITING_TASKS']));
    expect(answers.flatMap(refused)).toHaveLength(23);
  });

  it('counts what waits: not what was placed, stopped or is over, nor what others let wait', async () => {
    await using world = await startWorld({ store });
    await world.register('job');
    await world.register('large', { memory: 100_000 });
    await world.call('RunTask', { taskDefinition: 'large', count: 5 });
    const run = runner(world, 3);
    const { tasks } = await run(3);
    expect(refused(await run(2))).toEqual(Array(2).fill(refusal('3 tasks', 3)));
    await world.call('StopTask', { task: idOf(tasks[0]?.taskArn) });
    const some = await run(2);
    expect([some.tasks.length, refused(some)]).toEqual([1, [refusal('3 tasks', 3)]]);
    await world.host();
    await world.loop('place-pending');
    // On its host there is room: what is placed at once needs none in the queue.
    expect((await run(4)).failures).toEqual([]);
    expect((await run(4, { taskDefinition: 'large' })).tasks).toHaveLength(3);
    expect(await countOf(world)).toBe(8);
    world.advance(601);
    await world.loop('expire-waiting');
    expect((await run(3, { taskDefinition: 'large' })).failures).toEqual([]);
  });
});

describe('a quota of waiting tasks', () => {
  it('is of each cluster, and lets a call place what it can', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 512 });
    await world.host();
    await world.call('CreateCluster', { clusterName: 'other' });
    const run = runner(world, 2);
    const { tasks, failures } = await run(30);
    const placed = tasks.filter(({ lastStatus }) => lastStatus === 'PENDING').length;
    expect(placed).toBeGreaterThan(0);
    expect([tasks.length - placed, failures.length]).toEqual([2, 30 - tasks.length]);
    expect((await run(2, { cluster: 'other' })).failures).toEqual([]);
  });

  it('of none lets nothing wait; one of a large call is answered whole, again too', async () => {
    await using world = await startWorld();
    await world.register('job');
    expect((await runner(world, 0)(1)).failures).toEqual([
      expect.objectContaining({ reason: 'QUOTA:WAITING_TASKS', detail: refusal('0 tasks', 0).detail }),
    ]);
    const run = runner(world, 60);
    const first = await run(1000, { clientToken: 'a' });
    expect([first.tasks.length, first.failures.length, await countOf(world)]).toEqual([60, 940, 60]);
    expect(await run(1000, { clientToken: 'a' })).toEqual(first);
    await expect(run(1001)).rejects.toMatchObject({ code: 'InvalidParameterException', field: 'count' });
  });

  it('costs those nothing who have none, and others one change where tasks wait', async () => {
    const asked: string[] = [];
    await using world = await startWorld({
      wrap: (table) => ({
        ...interceptCommits(table, (changes, forward) => {
          asked.push(...changes.map((change) => `changes ${'item' in change ? change.item.pk : change.key.pk}`));
          return forward(changes);
        }),
        get(key) {
          asked.push(`reads ${key.pk}`);
          return table.get(key);
        },
      }),
    });
    await world.register('job');
    const askedOfBound = async (as: object) => {
      asked.length = 0;
      await world.call('RunTask', { taskDefinition: 'job' }, { as });
      return asked.filter((what) => what.endsWith(bound().pk)).map((what) => what.split(' ')[0]);
    };
    const limited = { accessKeyId, maxWaitingTasks: 10 };
    expect(await askedOfBound({ accessKeyId })).toEqual([]);
    // Only the first has to find out that nothing was counted before.
    expect(await askedOfBound(limited)).toEqual(['changes', 'reads', 'changes']);
    expect(await askedOfBound(limited)).toEqual(['changes']);
    await world.host();
    await world.loop('place-pending');
    expect(await askedOfBound(limited)).toEqual([]);
  });

  it('does not count successors, which the control plane lets wait', async () => {
    await using world = await startWorld();
    await world.register('job');
    await world.host();
    const run = runner(world, 1);
    const { tasks } = await run(1, { tags: [{ key: 'gantry:replaceable' }] });
    const task = await getTask(world.table, idOf(tasks[0]?.taskArn));
    expect(task).toMatchObject({ hostId: expect.any(String), quotaOf: accessKeyId });
    const { started } = await startSuccessors({ ...world.control.deps, activate: () => {} }, task ? [task] : []);
    expect([started, await countOf(world)]).toEqual([1, 1]);
    expect((await run(1, { overrides: { memory: '99999' } })).failures).toEqual([]);
  });

  it('begins anew where its bound is gone', async () => {
    await using world = await startWorld();
    await world.register('job');
    const run = runner(world, 2);
    await run(1);
    await world.table.commit([{ kind: 'delete', key: bound(), when: [] }]);
    const { tasks, failures } = await run(2);
    expect([tasks.length, failures.length]).toEqual([1, 1]);
  });
});
