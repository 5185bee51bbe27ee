/** Lists of tasks by group and tags, whatever lives and what has stopped. */
import { describe, expect, it } from 'vitest';
import { idOf, startWorld, type World } from './support/world.ts';

const team = (value: string) => ({ key: 'team', value });

/** Thirty tasks, ten a team, every third in the group nightly; the first of each team has stopped. Answers what is which. */
async function fill(world: World) {
  const made: { id: string; team: string; group: string }[] = [];
  await world.register('job');
  for (const name of ['a', 'b', 'c'])
    for (const [count, group] of [
      [4, 'nightly'],
      [6, 'adhoc'],
    ] as const) {
      const tags = [team(name), { key: 'odd=key', value: 'x' }];
      const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count, group, tags });
      made.push(...tasks.map(({ taskArn }) => ({ id: idOf(taskArn), team: name, group })));
      if (group === 'nightly') await world.call('StopTask', { task: idOf(tasks[0]?.taskArn) });
    }
  await world.call('RunTask', { taskDefinition: 'job' });
  return (team: string, group?: string) =>
    made
      .filter((each) => each.team === team && (group === undefined || each.group === group))
      .map(({ id }) => id)
      .toSorted();
}

async function pages(world: World, request: object, limit: number): Promise<string[]> {
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await world.call('GetTasks', { ...request, limit, ...(nextToken !== undefined && { nextToken }) });
    expect(page.tasks.length).toBeLessThanOrEqual(limit);
    found.push(...page.tasks.map(({ taskArn }) => idOf(taskArn)));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

describe.each(['sqlite', 'dynamodb'] as const)('tasks by group and tags over %s', (store) => {
  it('are those that have all that is asked for, page by page', async () => {
    await using world = await startWorld({ store });
    const those = await fill(world);
    for (const limit of [1, 3, 100]) {
      expect((await pages(world, { tag: ['team=a'] }, limit)).toSorted()).toEqual(those('a'));
      const nightly = await pages(world, { tag: ['team=b', 'odd=key'], group: 'nightly' }, limit);
      expect(nightly.toSorted()).toEqual(those('b', 'nightly'));
    }
    expect(await pages(world, { tag: ['team'] }, 100)).toHaveLength(30);
    expect(await pages(world, { tag: ['odd=key=x', 'team=c'] }, 100)).toHaveLength(10);
    expect(await pages(world, { tag: ['team=a', 'team=b'] }, 100)).toEqual([]);
    expect(await pages(world, { tag: ['team=a'], desiredStatus: 'STOPPED' }, 100)).toHaveLength(1);
    const { taskArns } = await world.call('ListTasks', { tag: ['team=a'], group: 'nightly' });
    expect(taskArns).toHaveLength(3);
  });

  it('follow the tags that a task is given', async () => {
    await using world = await startWorld({ store });
    const those = await fill(world);
    const [, id = ''] = those('a', 'adhoc');
    const resourceArn = `arn:aws:ecs:us-east-1:000000000000:task/default/${id}`;
    await world.call('TagResource', { resourceArn, tags: [team('new')] });
    expect(await pages(world, { tag: ['team=new'] }, 100)).toEqual([id]);
    expect(await pages(world, { tag: ['team=a'] }, 100)).toHaveLength(9);
  });
});

describe('tags to filter by', () => {
  it.each([
    [['team', ''], 'tag[1]', 'tag[1] must be a key, or key=value.'],
    [['=a'], 'tag[0]', 'tag[0] must be a key, or key=value.'],
    [Array.from({ length: 11 }, () => 'a'), 'tag', 'tag must have 0 to 10 entries; it has 11.'],
  ])('are refused: %j', async (tag, field, message) => {
    await using world = await startWorld();
    for (const operation of ['GetTasks', 'ListTasks'] as const)
      await expect(world.call(operation, { tag })).rejects.toMatchObject({
        code: 'InvalidParameterException',
        field,
        message,
      });
  });
});
