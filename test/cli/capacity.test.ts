/** A cluster whose hosts are bought, as the command line shows it: what is there, on order, wanted and too large for anything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeFleet, sizesOf } from '../control/support/fake-fleet.ts';
import { type Desk, openDesk } from './support/desk.ts';
import { runOne } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 160 }, plain: {}, json: { columns: 160 } } as const;

const file = {
  'once.json': JSON.stringify({
    family: 'once',
    containerDefinitions: [{ name: 'app', image: 'busybox', cpu: 1024, memory: 1024 }],
  }),
};

interface BoughtScene extends AsyncDisposable {
  readonly desk: Desk;
  readonly awaiting: string;
  readonly unmet: string;
}

/** One host that was bought runs a task, a second one is on order, and a task is larger than all that may be bought. */
async function setBoughtScene(): Promise<BoughtScene> {
  const fleets: FakeFleet[] = [];
  const desk = await openDesk({
    fleet: (of) => {
      const fleet = new FakeFleet({ ...of, bootMs: { least: 30_000, most: 30_000 } });
      fleets.push(fleet);
      return fleet;
    },
  });
  const { world } = desk;
  const [fleet] = fleets;
  if (fleet === undefined) throw new Error('the world made no fleet');
  await world.call('CreateCapacityProvider', { name: 'pool', gantry: { limits: { maxHosts: 3 } } });
  await world.call('PutClusterCapacityProviders', {
    capacityProviders: ['pool'],
    defaultCapacityProviderStrategy: [{ capacityProvider: 'pool', weight: 1 }],
  });
  await world.register('web', { cpu: 1024, memory: 2048 });
  await world.register('job', { cpu: 2048, memory: 2048 });
  await world.register('huge', { cpu: 256, memory: 65_536 });
  await runOne(desk, 'web');
  await world.loop('buy-capacity');
  world.advance(30);
  const [instance] = fleet.booted;
  if (instance === undefined) throw new Error('nothing was bought');
  const attributes = { 'gantry.capacity-provider': 'pool', 'ecs.availability-zone': instance.zone };
  const host = await world.host({ ...sizesOf(instance.offer), name: instance.instanceId, attributes });
  await world.loop('place-pending');
  await host.obey();
  await world.loop('buy-capacity');
  const awaiting = await runOne(desk, 'job');
  const unmet = await runOne(desk, 'huge');
  await world.loop('buy-capacity');
  await world.loop('buy-capacity');
  world.advance(10);
  return { desk, awaiting, unmet, [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose]() };
}

describe('a cluster whose hosts are bought', () => {
  let scene: BoughtScene;
  beforeAll(async () => {
    scene = await setBoughtScene();
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  const commands: Record<string, (of: BoughtScene) => string[]> = {
    capacity: () => ['capacity'],
    'plan run of what fits': () => ['plan', 'run', 'web'],
    'plan run of a file': () => ['plan', 'run', 'once.json', '--count', '7'],
    'plan run of what is too large': () => ['plan', 'run', 'huge'],
    'why it waits for what is bought': ({ awaiting }) => ['why', awaiting],
    'why nothing is bought for it': ({ unmet }) => ['why', unmet],
  };
  for (const [name, argvOf] of Object.entries(commands))
    it.each(Object.entries(styles))(`${name}, %s`, async (style, options) => {
      const argv = [...argvOf(scene), ...(style === 'json' ? ['--json'] : [])];
      const ended = await scene.desk.gantry(argv, { ...options, files: file });
      await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });

  it('is named by --capacity-provider, with weight and base', async () => {
    const { desk } = scene;
    const ended = await desk.gantry(['plan', 'run', 'web', '--capacity-provider', 'pool:3:1', '-n', '2']);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('1 task  pool') });
    expect(await desk.gantry(['run', 'web', '--capacity-provider', 'nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not associated with the cluster'),
    });
    for (const wrong of ['pool:many', ':1', 'pool:1:2:3', 'pool:'])
      expect(await desk.gantry(['run', 'web', '--capacity-provider', wrong])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--capacity-provider takes a name, a weight and a base'),
      });
    expect(await desk.gantry(['plan'])).toMatchObject({ stdout: expect.stringContaining('plan run  Say where') });
  });

  it('is not changed by a plan', async () => {
    const { desk } = scene;
    const before = [await desk.world.call('GetCapacity', {}), await desk.world.call('GetTasks', {})];
    await desk.gantry(['plan', 'run', 'once.json', '--count', '50'], { files: file });
    expect([await desk.world.call('GetCapacity', {}), await desk.world.call('GetTasks', {})]).toEqual(before);
    await expect(desk.world.call('DescribeTaskDefinition', { taskDefinition: 'once' })).rejects.toMatchObject({
      code: 'ClientException',
    });
  });
});

describe('a cluster without capacity providers', () => {
  it('says that hosts come and go by themselves, and why a task would not run', async () => {
    await using desk = await openDesk();
    await desk.world.register('web', { memory: 256 });
    expect(await desk.gantry(['capacity'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No capacity provider buys for it'),
    });
    expect(await desk.gantry(['plan', 'run', 'web'])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('the cluster has no hosts'),
    });
    await desk.world.host({ memoryMib: 512 });
    expect(await desk.gantry(['plan', 'run', 'web', '--launch-type', 'EC2', '-n', '3'])).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(
        /2 tasks +host-1(?:.|\n)*1 task +refused, as a launch type is named: 1 host: memory/,
      ),
    });
    expect((await desk.world.call('GetTasks', {})).tasks).toEqual([]);
  });

  it('refuses what is not one task definition', async () => {
    await using desk = await openDesk();
    expect(await desk.gantry(['plan', 'run', 'nothing'])).toMatchObject({ code: 1 });
    await expect(desk.world.call('PlanTasks', {})).rejects.toMatchObject({ field: 'taskDefinition' });
  });
});
