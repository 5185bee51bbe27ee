import { describe, expect, it } from 'vitest';
import { startWorld, type World } from './support/world.ts';

const arn = (family: string, revision: number): string =>
  `arn:aws:ecs:us-east-1:000000000000:task-definition/${family}:${revision}`;

const container = { name: 'app', image: 'busybox', memory: 64 };
const register = (world: World, family: string, more: object = {}) =>
  world.call('RegisterTaskDefinition', { family, containerDefinitions: [container], ...more });

describe('a revision', () => {
  it('is what was registered, by whom and when, and is found by each of its names', async () => {
    await using world = await startWorld();
    const { taskDefinition, tags } = await register(world, 'web', { tags: [{ key: 'team', value: 'a' }] });
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: arn('web', 1),
      family: 'web',
      revision: 1,
      status: 'ACTIVE',
      registeredBy: 'arn:aws:iam::000000000000:user/test',
      registeredAt: new Date(world.now()),
    });
    expect(tags).toEqual([{ key: 'team', value: 'a' }]);
    for (const name of ['web', 'web:1', arn('web', 1)]) {
      const found = await world.call('DescribeTaskDefinition', { taskDefinition: name, include: ['TAGS'] });
      expect(found, name).toEqual({ taskDefinition, tags });
    }
  });

  it('that does not exist is told in ECS words', async () => {
    await using world = await startWorld();
    await register(world, 'web');
    const describe = (taskDefinition: string) => world.call('DescribeTaskDefinition', { taskDefinition });
    for (const name of ['api', 'web:2', 'no spaces', arn('api', 1)]) {
      await expect(describe(name), name).rejects.toMatchObject({
        code: 'ClientException',
        message: 'Unable to describe task definition.',
      });
    }
    await expect(describe('web:latest')).rejects.toMatchObject({ message: 'Invalid revision number. Number: latest' });
  });

  it('is INACTIVE once deregistered: still described, no longer meant by its family, and never ACTIVE again', async () => {
    await using world = await startWorld();
    for (let revision = 1; revision <= 3; revision += 1) await register(world, 'web');
    world.advance(5);
    const deregister = (taskDefinition: string) => world.call('DeregisterTaskDefinition', { taskDefinition });
    const { taskDefinition } = await deregister('web:3');
    expect(taskDefinition).toMatchObject({ status: 'INACTIVE', revision: 3, deregisteredAt: new Date(world.now()) });
    world.advance(5);
    expect(await deregister(arn('web', 3)), 'asked again').toEqual({ taskDefinition });
    const meant = await world.call('DescribeTaskDefinition', { taskDefinition: 'web' });
    expect(meant.taskDefinition.revision).toBe(2);
    expect((await world.call('DescribeTaskDefinition', { taskDefinition: 'web:3' })).taskDefinition).toEqual(
      taskDefinition,
    );
    const list = async (request: object) => (await world.call('ListTaskDefinitions', request)).taskDefinitionArns;
    expect(await list({})).toEqual([arn('web', 1), arn('web', 2)]);
    expect(await list({ status: 'INACTIVE' })).toEqual([arn('web', 3)]);
    await deregister('web:1');
    await deregister('web:2');
    await expect(world.call('DescribeTaskDefinition', { taskDefinition: 'web' })).rejects.toMatchObject({
      message: 'Unable to describe task definition.',
    });
    expect((await register(world, 'web')).taskDefinition.revision).toBe(4);
    await expect(deregister('web')).rejects.toMatchObject({ code: 'ClientException', message: 'Revision is missing.' });
    await expect(deregister('api:1')).rejects.toMatchObject({
      code: 'ClientException',
      message: 'The specified task definition does not exist.',
    });
  });

  it('is deregistered once by many at once', async () => {
    await using world = await startWorld();
    await register(world, 'web');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => world.call('DeregisterTaskDefinition', { taskDefinition: 'web:1' })),
    );
    expect(new Set(answers.map(({ taskDefinition }) => taskDefinition.status))).toEqual(new Set(['INACTIVE']));
    expect((await world.call('ListTaskDefinitions', { status: 'INACTIVE' })).taskDefinitionArns).toEqual([
      arn('web', 1),
    ]);
  });
});
