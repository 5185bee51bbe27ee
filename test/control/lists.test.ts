import { describe, expect, it } from 'vitest';
import type { Input, OperationName } from '../../core/api/operations.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { idOf, startWorld, type World } from './support/world.ts';

interface PagedList {
  readonly operation: OperationName;
  readonly size: 'maxResults' | 'limit';
  readonly member: string;
  readonly request?: object;
  /** Of what `startFilled` makes. */
  readonly total: number;
}

const lists: Record<string, PagedList> = {
  ListClusters: { operation: 'ListClusters', size: 'maxResults', member: 'clusterArns', total: 7 },
  ListTaskDefinitions: { operation: 'ListTaskDefinitions', size: 'maxResults', member: 'taskDefinitionArns', total: 8 },
  'ListTaskDefinitions of a family, newest first': {
    operation: 'ListTaskDefinitions',
    size: 'maxResults',
    member: 'taskDefinitionArns',
    request: { familyPrefix: 'job', sort: 'DESC' },
    total: 7,
  },
  ListContainerInstances: {
    operation: 'ListContainerInstances',
    size: 'maxResults',
    member: 'containerInstanceArns',
    total: 7,
  },
  GetHosts: { operation: 'GetHosts', size: 'limit', member: 'hosts', total: 7 },
  ListTasks: { operation: 'ListTasks', size: 'maxResults', member: 'taskArns', total: 9 },
  'ListTasks that stop or have stopped': {
    operation: 'ListTasks',
    size: 'maxResults',
    member: 'taskArns',
    request: { desiredStatus: 'STOPPED' },
    total: 8,
  },
  'GetTasks, whatever their status': { operation: 'GetTasks', size: 'limit', member: 'tasks', total: 17 },
};

async function pageOf(world: World, { operation, member, request = {} }: PagedList, more: object) {
  const answer = (await world.call(operation, { ...request, ...more })) as Record<string, unknown>;
  const entries = answer[member] as (string | { taskArn?: string; containerInstanceArn?: string })[];
  return {
    found: entries.map((entry) => (typeof entry === 'string' ? entry : (entry.taskArn ?? entry.containerInstanceArn))),
    nextToken: answer.nextToken as string | undefined,
  };
}

/** Seven of everything, and of tasks twelve that live, three of which are stopping, and five that stopped one after the other. */
async function startFilled(): Promise<World> {
  const world = await startWorld();
  for (let index = 1; index <= 6; index += 1) await world.call('CreateCluster', { clusterName: `cluster-${index}` });
  for (let index = 1; index <= 7; index += 1) {
    await world.host({ name: `host-${index}` });
    await world.register('job');
  }
  await world.register('other');
  const run = async (count: number) =>
    (await world.call('RunTask', { taskDefinition: 'job', count })).tasks.map(({ taskArn }) => idOf(taskArn));
  const ids = await run(8);
  ids.push(...(await run(1)));
  const waiting = await world.call('RunTask', { taskDefinition: 'job', count: 8, overrides: { memory: '9999' } });
  for (const { taskArn } of waiting.tasks.slice(0, 5)) {
    await world.call('StopTask', { task: taskArn });
    world.advance(1);
  }
  for (const task of ids.slice(0, 3)) await world.call('StopTask', { task });
  return world;
}

describe('a list', () => {
  it('is the same whatever the size of its pages', async () => {
    await using world = await startFilled();
    for (const [name, list] of Object.entries(lists)) {
      const whole = await pageOf(world, list, {});
      expect(whole.nextToken, name).toBeUndefined();
      expect(new Set(whole.found).size, name).toBe(list.total);
      for (const size of [1, 2, 3, 100]) {
        const found: (string | undefined)[] = [];
        let nextToken: string | undefined;
        do {
          const page = await pageOf(world, list, {
            [list.size]: size,
            ...(nextToken === undefined ? {} : { nextToken }),
          });
          expect(page.found.length, name).toBeLessThanOrEqual(size);
          found.push(...page.found);
          nextToken = page.nextToken;
        } while (nextToken !== undefined);
        expect(found, `${name} by ${size}`).toEqual(whole.found);
      }
    }
  });

  it.each(Object.entries(lists))(
    '%s refuses sizes and tokens that it never gave',
    async (_, { operation, size, request }) => {
      await using world = await startWorld();
      for (const wrong of [0, -1, 101]) {
        await expect(world.call(operation, { ...request, [size]: wrong })).rejects.toMatchObject({
          code: 'InvalidParameterException',
          field: size,
        });
      }
      const forged = [{ list: 'live', after: '../x' }, 'a b', 7].map((token) =>
        Buffer.from(JSON.stringify(token)).toString('base64url'),
      );
      for (const nextToken of ['', 'x', ...forged]) {
        await expect(world.call(operation, { ...request, nextToken })).rejects.toMatchObject({
          code: 'InvalidParameterException',
          message: 'Invalid token.',
          field: 'nextToken',
        });
      }
    },
  );

  it('names a task once that stops while it is being read', async () => {
    let stop = async (): Promise<void> => {};
    await using world = await startWorld({
      wrap: (table) => ({
        ...interceptCommits(table, (changes, forward) => forward(changes)),
        queryHistory: async (pk, options) => {
          await stop();
          return table.queryHistory(pk, options);
        },
      }),
    });
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count: 3 });
    const other = await world.another();
    stop = async () => {
      for (const { taskArn } of tasks) await world.call('StopTask', { task: taskArn }, { control: other });
    };
    const listed = await world.call('GetTasks', {});
    expect(listed.tasks.map(({ taskArn }) => taskArn).sort()).toEqual(tasks.map(({ taskArn }) => taskArn).sort());
  });

  it('of stopped tasks is newest first, and holds what stops before what has stopped', async () => {
    await using world = await startFilled();
    const { tasks } = await world.call('GetTasks', { desiredStatus: 'STOPPED' });
    expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual([
      ...Array.from({ length: 3 }, () => 'PENDING'),
      ...Array.from({ length: 5 }, () => 'STOPPED'),
    ]);
    const ends = tasks.slice(3).map(({ stoppedAt }) => stoppedAt?.getTime() ?? 0);
    expect(ends).toEqual(ends.toSorted((a, b) => b - a));
  });
});

describe('ListTasks', () => {
  it('filters by each member alone and by all of them together', async () => {
    await using world = await startWorld();
    const [a, b] = [await world.host({ name: 'a' }), await world.host({ name: 'b' })];
    await world.register('web');
    await world.register('job');
    const run = async (request: Omit<Input<'RunTask'>, 'taskDefinition'>, family: string) =>
      (await world.call('RunTask', { taskDefinition: family, ...request })).tasks[0];
    const distinct = { placementConstraints: [{ type: 'distinctInstance' }], group: 'g' };
    const one = await run({ ...distinct, startedBy: 'me' }, 'web');
    const two = await run({ ...distinct, startedBy: 'you', launchType: 'EC2' }, 'web');
    const three = await run({ startedBy: 'me' }, 'job');
    const list = async (request: object) => (await world.call('ListTasks', request)).taskArns;
    const arns = (...tasks: (typeof one)[]) => tasks.map((task) => task?.taskArn ?? '').toSorted();
    expect(await list({ family: 'web' })).toEqual(arns(one, two));
    expect(await list({ startedBy: 'me' })).toEqual(arns(one, three));
    expect(await list({ launchType: 'EC2' })).toEqual(arns(one, two, three));
    expect(await list({ launchType: 'EXTERNAL' })).toEqual([]);
    expect(await list({ desiredStatus: 'PENDING' })).toEqual([]);
    const host = two?.hostName === 'a' ? a : b;
    const onHost = await list({ containerInstance: host.hostId });
    expect(onHost).toContain(two?.taskArn);
    expect(onHost).not.toContain(one?.taskArn);
    expect(await list({ containerInstance: two?.containerInstanceArn })).toEqual(onHost);
    expect(await list({ containerInstance: 'f'.repeat(32) })).toEqual([]);
    expect(await list({ family: 'web', startedBy: 'you', containerInstance: host.hostId })).toEqual(arns(two));
    expect(await list({ family: 'job', startedBy: 'you' })).toEqual([]);
    expect((await world.call('GetTasks', { host: host.name, family: 'web' })).tasks).toMatchObject([
      { taskArn: two?.taskArn },
    ]);
  });
});
