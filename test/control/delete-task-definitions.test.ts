import { describe, expect, it } from 'vitest';
import { idOf, startWorld, type World } from './support/world.ts';

const arn = (name: string): string => `arn:aws:ecs:us-east-1:000000000000:task-definition/${name}`;
const container = { name: 'app', image: 'busybox', memory: 64 };

async function register(world: World, ...names: string[]): Promise<void> {
  for (const family of names) await world.call('RegisterTaskDefinition', { family, containerDefinitions: [container] });
}

async function deregister(world: World, ...names: string[]): Promise<void> {
  for (const taskDefinition of names) await world.call('DeregisterTaskDefinition', { taskDefinition });
}

const families = async (world: World, input: object = {}): Promise<string[]> =>
  (await world.call('ListTaskDefinitionFamilies', input)).families;

const listed = async (world: World, status: string): Promise<string[]> =>
  (await world.call('ListTaskDefinitions', { status })).taskDefinitionArns;

describe.each(['sqlite', 'dynamodb'] as const)('families over %s', (store) => {
  it('are listed once each, by prefix and by whether they have an ACTIVE revision', async () => {
    await using world = await startWorld({ store });
    await register(world, 'web', 'web', 'web-api', 'web_2', 'job', 'old', 'old');
    await deregister(world, 'web:1', 'old:1', 'old:2', 'web-api:1');
    expect(await families(world)).toEqual(['job', 'old', 'web', 'web-api', 'web_2']);
    expect(await families(world, { status: 'ALL' })).toEqual(['job', 'old', 'web', 'web-api', 'web_2']);
    expect(await families(world, { status: 'ACTIVE' })).toEqual(['job', 'web', 'web_2']);
    expect(await families(world, { status: 'INACTIVE' })).toEqual(['old', 'web-api']);
    expect(await families(world, { familyPrefix: 'web' })).toEqual(['web', 'web-api', 'web_2']);
    expect(await families(world, { familyPrefix: 'web', status: 'ACTIVE' })).toEqual(['web', 'web_2']);
    expect(await families(world, { familyPrefix: 'b' })).toEqual([]);
    expect(await families(world, { familyPrefix: 'no spaces' })).toEqual([]);
  });

  it('come in pages without a gap, however many revisions one has', async () => {
    await using world = await startWorld({ store });
    await register(world, 'a', ...Array.from({ length: 60 }, () => 'b'), 'c', 'd', 'e');
    await deregister(world, 'c:1', 'e:1', 'b:7');
    for (const [status, expected] of [
      ['ALL', ['a', 'b', 'c', 'd', 'e']],
      ['ACTIVE', ['a', 'b', 'd']],
      ['INACTIVE', ['c', 'e']],
    ] as const) {
      const seen: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await world.call('ListTaskDefinitionFamilies', { status, maxResults: 1, nextToken });
        expect(page.families.length).toBeLessThanOrEqual(1);
        seen.push(...page.families);
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      expect(seen, status).toEqual(expected);
    }
    await expect(world.call('ListTaskDefinitionFamilies', { nextToken: 'x' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'nextToken',
    });
    await expect(world.call('ListTaskDefinitionFamilies', { maxResults: 101 })).rejects.toMatchObject({
      field: 'maxResults',
    });
  });
});

describe.each(['sqlite', 'dynamodb'] as const)('a deleted revision over %s', (store) => {
  it('is DELETE_IN_PROGRESS and gone once nothing is of it; its number is not given out again', async () => {
    await using world = await startWorld({ store });
    await register(world, 'web', 'web');
    await deregister(world, 'web:1', 'web:2');
    const { taskDefinitions, failures } = await world.call('DeleteTaskDefinitions', {
      taskDefinitions: ['web:1', arn('web:2'), 'web:2'],
    });
    expect(failures).toEqual([]);
    expect(taskDefinitions).toMatchObject([
      { taskDefinitionArn: arn('web:1'), status: 'DELETE_IN_PROGRESS', deleteRequestedAt: new Date(world.now()) },
      { taskDefinitionArn: arn('web:2'), status: 'DELETE_IN_PROGRESS' },
    ]);
    expect(await listed(world, 'DELETE_IN_PROGRESS')).toEqual([arn('web:1'), arn('web:2')]);
    expect(await listed(world, 'INACTIVE')).toEqual([]);
    expect(await families(world)).toEqual([]);
    await expect(world.call('RunTask', { taskDefinition: 'web:1' })).rejects.toMatchObject({
      message: 'TaskDefinition is inactive',
    });
    const again = await world.call('DeleteTaskDefinitions', { taskDefinitions: ['web:1'] });
    expect(again).toEqual({ taskDefinitions: [taskDefinitions[0]], failures: [] });
    await world.loop('forget-revisions');
    expect(await listed(world, 'DELETE_IN_PROGRESS'), 'what saw it ACTIVE may be under way').toHaveLength(2);
    world.advance(61);
    await world.loop('forget-revisions');
    expect(await listed(world, 'DELETE_IN_PROGRESS')).toEqual([]);
    await expect(world.call('DescribeTaskDefinition', { taskDefinition: 'web:1' })).rejects.toMatchObject({
      message: 'Unable to describe task definition.',
    });
    await register(world, 'web');
    expect(await listed(world, 'ACTIVE')).toEqual([arn('web:3')]);
  });
});

describe('DeleteTaskDefinitions', () => {
  it('waits for tasks, and what has stopped is still told of', async () => {
    await using world = await startWorld();
    await register(world, 'web');
    const host = await world.host();
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web', count: 2 });
    await host.obey();
    await deregister(world, 'web:1');
    await world.call('DeleteTaskDefinitions', { taskDefinitions: ['web:1'] });
    const [first, second] = tasks.map(({ taskArn }) => idOf(taskArn));
    host.end(first ?? '');
    await host.report();
    world.advance(61);
    await world.loop('forget-revisions');
    expect(await listed(world, 'DELETE_IN_PROGRESS')).toEqual([arn('web:1')]);
    await world.call('StopTask', { task: second });
    await host.obey();
    await world.loop('forget-revisions');
    expect(await listed(world, 'DELETE_IN_PROGRESS')).toEqual([]);
    const other = await world.another();
    const described = await world.call('DescribeTasks', { tasks: [first, second] }, { control: other });
    expect(described.tasks).toMatchObject([{ taskDefinitionArn: arn('web:1') }, { lastStatus: 'STOPPED' }]);
  });

  it('answers a failure for each that is not INACTIVE or that there is not, and refuses too few and too many', async () => {
    await using world = await startWorld();
    await register(world, 'web');
    const names = ['web:1', 'web:2', 'web', 'web:x', 'no spaces:1'];
    expect(await world.call('DeleteTaskDefinitions', { taskDefinitions: names })).toEqual({
      taskDefinitions: [],
      failures: [
        { arn: arn('web:1'), reason: expect.stringContaining('still in ACTIVE status') },
        { arn: arn('web:2'), reason: expect.stringContaining('does not exist') },
        ...names.slice(2).map((name) => ({ arn: name, reason: expect.stringContaining('identifier is invalid') })),
      ],
    });
    for (const taskDefinitions of [[], Array.from({ length: 11 }, (_, index) => `web:${index + 1}`)])
      await expect(world.call('DeleteTaskDefinitions', { taskDefinitions })).rejects.toMatchObject({
        code: 'InvalidParameterException',
        field: 'taskDefinitions',
      });
  });

  it('by many at once deletes once', async () => {
    await using world = await startWorld();
    await register(world, 'web');
    await deregister(world, 'web:1');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => world.call('DeleteTaskDefinitions', { taskDefinitions: ['web:1'] })),
    );
    for (const { taskDefinitions } of answers)
      expect(taskDefinitions).toMatchObject([{ status: 'DELETE_IN_PROGRESS' }]);
    expect(await listed(world, 'DELETE_IN_PROGRESS')).toEqual([arn('web:1')]);
  });
});
