/** `gantry task-defs` and `gantry clusters`: printed in three ways, and done for real. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from './support/desk.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 120 }, plain: {}, json: { columns: 120 } } as const;

/** Two revisions of `web` that differ in every way that two can, one that was deregistered between them, and another family. */
async function register({ world }: Desk): Promise<void> {
  const app = { name: 'app', image: 'busybox:1', cpu: 256, memory: 128, environment: [{ name: 'MODE', value: 'dev' }] };
  const first = { ...app, command: ['sh', '-c', 'sleep 1'], portMappings: [{ containerPort: 80, hostPort: 8080 }] };
  await world.call('RegisterTaskDefinition', { family: 'web', containerDefinitions: [first], cpu: '512' });
  await world.call('RegisterTaskDefinition', { family: 'web', containerDefinitions: [app] });
  await world.call('DeregisterTaskDefinition', { taskDefinition: 'web:2' });
  world.advance(3600);
  const environment = [
    { name: 'COLOUR', value: 'never' },
    { name: 'MODE', value: 'live' },
  ];
  const second = { ...app, image: 'busybox:2', environment, portMappings: [{ containerPort: 80, hostPort: 0 }] };
  const sidecar = { name: 'log', image: 'busybox:2', memory: 32, essential: false };
  const tags = [{ key: 'team', value: 'shop' }];
  const containerDefinitions = [sidecar, second];
  await world.call('RegisterTaskDefinition', { family: 'web', containerDefinitions, memory: '512', tags });
  await world.register('job');
  world.advance(90);
}

describe('task definitions and clusters', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk();
    await register(desk);
    await desk.world.host();
    await desk.world.call('RunTask', { taskDefinition: 'job' });
    const settings = [{ name: 'gantry:waitForCapacity', value: 'enabled' }];
    await desk.world.call('CreateCluster', { clusterName: 'batch', settings, tags: [{ key: 'team', value: 'data' }] });
  });
  afterAll(() => desk[Symbol.asyncDispose]());

  const commands: Record<string, readonly string[]> = {
    'task-defs list': ['task-defs', 'list'],
    'task-defs list of a family': ['task-defs', 'list', 'web', '--all'],
    'task-defs list of nothing': ['task-defs', 'list', 'none'],
    'task-defs show': ['task-defs', 'show', 'web'],
    'task-defs show as a file': ['task-defs', 'show', 'web', '--file'],
    'task-defs diff': ['task-defs', 'diff', 'web'],
    'task-defs diff of the same': ['task-defs', 'diff', 'web:3', 'web'],
    'clusters list': ['clusters', 'list'],
    'clusters show': ['clusters', 'show', 'batch'],
  };
  for (const [name, words] of Object.entries(commands))
    it.each(Object.entries(styles))(`${name}, %s`, async (style, options) => {
      const argv = [...words, ...(style === 'json' ? ['--json'] : [])];
      const ended = await desk.gantry(argv, options);
      await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });

  it('compares a revision with the latest one, and refuses where there is only one', async () => {
    const changes = async (...names: string[]) =>
      JSON.parse((await desk.gantry(['task-defs', 'diff', ...names, '--json'])).stdout);
    expect(await changes('web:1')).toEqual(await changes('web:1', 'web:3'));
    expect(await changes('web:1')).toMatchObject({ from: 'web:1', to: 'web:3' });
    expect(await desk.gantry(['task-defs', 'diff', 'job'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('The family job has no two ACTIVE revisions to compare.'),
    });
  });

  it('shows a revision as the file that registers it again', async () => {
    const file = (await desk.gantry(['task-defs', 'show', 'web', '--file'])).stdout;
    await using other = await openDesk();
    const registered = await other.gantry(['register', '-'], { files: { '-': file } });
    expect(registered).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Registered web:1/) });
    expect((await other.gantry(['task-defs', 'show', 'web', '--file'])).stdout).toBe(file);
  });

  it('says which cluster is not there', async () => {
    expect(await desk.gantry(['clusters', 'show', 'none'])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/There is no cluster none\.\n`gantry clusters list`/),
    });
  });
});

describe('what is no longer wanted', () => {
  it('is deregistered, then deleted, and each refusal is told of', async () => {
    await using desk = await openDesk();
    await desk.world.register('job');
    await desk.world.register('job');
    expect(await desk.gantry(['task-defs', 'delete', 'job:1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Error: job:1 is not deleted'),
    });
    expect(await desk.gantry(['task-defs', 'deregister', 'job:9', 'job:1'])).toMatchObject({
      code: 1,
      stdout: 'job:1 is INACTIVE\n',
    });
    expect(await desk.gantry(['task-defs', 'delete', 'job:1'])).toMatchObject({
      code: 0,
      stdout: 'job:1 is DELETE_IN_PROGRESS\n',
    });
    expect((await desk.gantry(['task-defs', 'list', 'job'])).stdout).toMatch(/^REVISION.*\njob:2 .*\n$/);
  });
});

describe('a cluster', () => {
  it('is made, changed and deleted', async () => {
    await using desk = await openDesk();
    const create = ['clusters', 'create', 'web', '--setting', 'gantry:waitForCapacity=enabled', '--tag', 'team=shop'];
    expect(await desk.gantry(create)).toMatchObject({
      code: 0,
      stdout: 'web is ACTIVE: it has 0 hosts, 0 running tasks and 0 pending tasks\n',
    });
    expect(JSON.parse((await desk.gantry(['clusters', 'show', 'web', '--json'])).stdout).cluster).toMatchObject({
      settings: [{ name: 'gantry:waitForCapacity', value: 'enabled' }],
      tags: [{ key: 'team', value: 'shop' }],
    });
    expect(await desk.gantry(['clusters', 'settings', 'web', 'gantry:waitForCapacity=disabled'])).toMatchObject({
      code: 0,
      stdout: 'gantry:waitForCapacity=disabled\n',
    });
    expect(await desk.gantry(['clusters', 'delete', 'web'])).toMatchObject({ code: 0, stdout: 'web is INACTIVE\n' });
    expect((await desk.gantry(['clusters', 'list'])).stdout).not.toContain('web');
  });

  it.each([
    [['clusters', 'settings', 'web', 'frob'], "NAME=VALUE takes a name, = and a value, not 'frob'"],
    [['clusters', 'settings', 'default', 'frob=1'], 'settings[0].name must be'],
    [['clusters', 'create', 'web', '--tag', 'x'], "--tag takes a name, = and a value, not 'x'"],
  ])('is not changed by %j', async (argv, message) => {
    await using desk = await openDesk();
    expect(await desk.gantry(argv)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
  });
});
