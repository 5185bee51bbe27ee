import { describe, expect, it } from 'vitest';
import { interceptCommits, Meanwhile } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { idOf, startWorld, type World } from './support/world.ts';

const run = async (world: World, request: object): Promise<string[]> =>
  (await world.call('RunTask', request)).tasks.map(({ taskArn }) => idOf(taskArn));

describe('place-pending', () => {
  it('places strictly oldest first, whatever the shapes', async () => {
    await using world = await startWorld();
    await world.register('small', { memory: 100 });
    await world.register('other', { memory: 101 });
    const ids: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      ids.push(...(await run(world, { taskDefinition: index % 2 === 0 ? 'small' : 'other' })));
      world.advance(1);
    }
    await world.host({ memoryMib: 650 });
    await world.control.loops.idle();
    const { tasks } = await world.call('DescribeTasks', { tasks: ids });
    const placed = tasks.filter(({ lastStatus }) => lastStatus === 'PENDING').map(({ taskArn }) => idOf(taskArn));
    expect(placed).toEqual(ids.slice(0, 6));
  });

  it('places more than fit one commit, over many hosts, and explains the rest', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 100 });
    await world.register('web', { memory: 10, hostPort: 80 });
    const jobs = await run(world, { taskDefinition: 'job', count: 70 });
    world.advance(1);
    const webs = await run(world, { taskDefinition: 'web', count: 5 });
    for (const name of ['a', 'b', 'c']) await world.host({ name, memoryMib: 2000 });
    await world.control.loops.idle();
    const waiting = async (ids: string[]) =>
      (await world.call('DescribeTasks', { tasks: ids })).tasks.filter(
        ({ lastStatus }) => lastStatus === 'PROVISIONING',
      );
    expect(await waiting(jobs)).toHaveLength(70 - 60);
    const left = await waiting(webs);
    expect(left).toHaveLength(5);
    for (const { explanation } of left) expect(explanation?.sentence).toMatch(/^3 hosts: memory \(largest free 0 MiB/);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('passes over a task that was stopped meanwhile, and gives its room to another', async () => {
    const meanwhile = new Meanwhile();
    await using world = await startWorld({ wrap: meanwhile.wrap });
    const silent = await world.another();
    await silent.loops.stop();
    await world.register('large', { memory: 900 });
    await world.register('small', { memory: 200 });
    const [older = ''] = await run(world, { taskDefinition: 'large' });
    world.advance(1);
    const [younger = ''] = await run(world, { taskDefinition: 'small' });
    await world.control.loops.idle();
    await world.host({ memoryMib: 1000, control: silent });
    meanwhile.next(() => world.call('StopTask', { task: older }, { control: silent }));
    await world.loop('place-pending');
    const { tasks } = await world.call('DescribeTasks', { tasks: [older, younger] });
    expect(tasks).toMatchObject([{ lastStatus: 'STOPPED' }, { lastStatus: 'PENDING' }]);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('is asked for once a task is listed: a host that became free just before has not woken it', async () => {
    let arrive: (() => Promise<unknown>) | undefined;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          const lists = changes.some((change) => change.kind === 'put' && change.item.pk.startsWith('waiting#'));
          const happens = lists ? arrive : undefined;
          if (happens !== undefined) arrive = undefined;
          await happens?.();
          return forward(changes);
        }),
    });
    await world.register('job');
    const [late = ''] = await run(world, { taskDefinition: 'job', overrides: { memory: '9999' } });
    arrive = async () => {
      await world.host();
      await world.control.loops.idle();
    };
    const ids = await run(world, { taskDefinition: 'job' });
    await world.control.loops.idle();
    const { tasks } = await world.call('DescribeTasks', { tasks: [...ids, late] });
    expect(tasks).toMatchObject([{ lastStatus: 'PENDING' }, { lastStatus: 'PROVISIONING' }]);
  });

  it('tries again when others were quicker, and soon after when they were every time', async () => {
    let refusals = 0;
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          const places = changes.some((change) => change.kind === 'delete' && change.key.pk.startsWith('waiting#'));
          if (!places || refusals === 0) return forward(changes);
          refusals -= 1;
          return { outcome: 'conflict' };
        }),
    });
    await world.register('job');
    const ids = await run(world, { taskDefinition: 'job' });
    const status = async () => (await world.call('DescribeTasks', { tasks: ids })).tasks[0]?.lastStatus;
    refusals = 5;
    await world.host();
    await world.control.loops.idle();
    expect(await status(), 'all tries of one activation were in vain').toBe('PROVISIONING');
    await world.loop('place-pending');
    expect(await status()).toBe('PENDING');
    expect(world.logged).toEqual([]);
  });
});
