/** Commands on tasks that are there already: stop, ps, and how tasks are named. */
import { describe, expect, it } from 'vitest';
import { openDesk } from './support/desk.ts';
import { runOne, setScene } from './support/scene.ts';

describe('a task', () => {
  it('is found by ARN, by id and by any beginning that only it has', async () => {
    await using desk = await openDesk();
    const { running, done } = await setScene(desk);
    const arn = `arn:aws:ecs:us-east-1:000000000000:task/default/${running}`;
    for (const name of [arn, running, running.slice(0, 12), running.slice(0, 12).toUpperCase()])
      expect(await desk.gantry(['why', name])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('runs on host-2'),
      });
    expect((await desk.gantry(['why', done.slice(0, 12)])).code).toBe(0);
    // The cluster in an ARN is the one that is meant.
    expect((await desk.gantry(['why', arn, '--cluster', 'nowhere'])).code).toBe(0);
    await desk.world.call('CreateCluster', { clusterName: 'other' });
    expect((await desk.gantry(['why', running, '--cluster', 'other'])).code).toBe(4);
    expect((await desk.gantry(['why', arn, '--cluster', 'other'])).code).toBe(0);
  });

  it('is not guessed', async () => {
    await using desk = await openDesk();
    await desk.world.host();
    await desk.world.register('job');
    const ids: string[] = [];
    // By then two begin alike, whatever they are.
    while (new Set(ids.map((id) => id[0])).size === ids.length) ids.push(await runOne(desk, 'job'));
    const letter = ids.at(-1)?.[0] ?? '';
    expect(await desk.gantry(['why', letter])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`2 tasks begin with ${letter}.\nName more of it: ${letter}`)),
    });
    for (const name of ['nothing', '', '0'.repeat(40), '../x'])
      expect(await desk.gantry(['why', name])).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('has no task'),
      });
  });
});

describe('stop', () => {
  it('asks, and with --wait sees the end', async () => {
    await using desk = await openDesk();
    const { hosts, running } = await setScene(desk);
    const stopping = desk.start(['stop', running, '--wait', '--reason', 'end of the demo']);
    await stopping.said('asked to stop: end of the demo');
    for (const host of hosts) await host.obey();
    expect(await stopping.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[0-9a-f]{12} web:1 is asked to stop\n[0-9a-f]{12} stopped: end of the demo/),
    });
  });

  it('stops the others where one is not there, and says what has stopped already', async () => {
    await using desk = await openDesk();
    const { running, done } = await setScene(desk);
    const { code, stdout, stderr } = await desk.gantry(['stop', 'ffffffffffffffff', running, done]);
    expect(code).toBe(4);
    expect(stdout).toMatch(/web:1 is asked to stop\n[0-9a-f]{12} The task has stopped already.\n$/);
    expect(stderr).toContain('has no task ffffffffffffffff');
    expect((await desk.world.call('GetTask', { task: running })).task.desiredStatus).toBe('STOPPED');
  });
});

describe('hosts', () => {
  it('are in the order in which people count', async () => {
    await using desk = await openDesk();
    for (const name of ['host-10', 'host-9', 'host-1']) await desk.world.host({ name });
    const { hosts } = JSON.parse((await desk.gantry(['hosts', '--json'])).stdout);
    expect(hosts.map(({ hostName }: { hostName: string }) => hostName)).toEqual(['host-1', 'host-9', 'host-10']);
  });

  it('are missed where there are none', async () => {
    await using desk = await openDesk();
    expect(await desk.gantry(['hosts'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'The cluster default has no hosts. `gantry up` makes this machine one.\n',
    });
  });

  it('are those of which an expression is true', async () => {
    await using desk = await openDesk();
    for (const stack of ['prod', 'dev']) await desk.world.host({ name: stack, attributes: { stack } });
    const { hosts } = JSON.parse((await desk.gantry(['hosts', '--where', 'attribute:stack == prod', '--json'])).stdout);
    expect(hosts).toMatchObject([{ hostName: 'prod' }]);
    expect(await desk.gantry(['hosts', '--where', 'attribute:stack == test'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'It is true of no host: attribute:stack == test\n',
    });
    expect(await desk.gantry(['hosts', '--where', 'attribute:stack is prod'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('filter, column 17: expected an operator that attribute:stack takes'),
    });
  });

  it('are on their way where a capacity provider brings them', async () => {
    await using desk = await openDesk();
    await desk.world.call('CreateCapacityProvider', { name: 'local', gantry: {} });
    await desk.world.call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: ['local'],
      defaultCapacityProviderStrategy: [],
    });
    expect((await desk.gantry(['hosts'])).stderr).toBe(
      'The cluster default has no hosts now: they come when tasks wait (local). `gantry capacity` says more.\n',
    );
  });
});

describe('ps', () => {
  it('shows what stopped in the last hour, and with --all what stopped before', async () => {
    await using desk = await openDesk();
    await setScene(desk);
    desk.world.advance(3600);
    const count = async (...argv: string[]) =>
      JSON.parse((await desk.gantry(['ps', '--json', ...argv])).stdout).tasks.map(
        (task: { lastStatus: string }) => task.lastStatus,
      );
    expect(await count()).toEqual(['PROVISIONING', 'RUNNING']);
    expect(await count('--all')).toEqual(['PROVISIONING', 'RUNNING', 'STOPPED', 'STOPPED', 'STOPPED', 'STOPPED']);
    expect(await count('--all', '--started-by', 'nightly')).toEqual(['STOPPED']);
    expect(await count('--host', 'host-2')).toEqual(['RUNNING']);
  });

  it('shows all of more tasks than fit a page', async () => {
    await using desk = await openDesk();
    await desk.world.host({ cpuUnits: 100_000, memoryMib: 100_000 });
    await desk.world.register('job');
    for (let made = 0; made < 250; made += 50) await desk.world.call('RunTask', { taskDefinition: 'job', count: 50 });
    const { tasks } = JSON.parse((await desk.gantry(['ps', '--json'])).stdout);
    expect(new Set(tasks.map(({ taskArn }: { taskArn: string }) => taskArn)).size).toBe(250);
  });

  it('keeps what programs wrote out of the terminal', async () => {
    await using desk = await openDesk();
    const { hosts, running } = await setScene(desk);
    await desk.gantry(['stop', running, '--reason', 'a\u001b[2Jb\nc\u0007d']);
    for (const host of hosts) await host.obey();
    for (const argv of [['ps'], ['show', running], ['why', running]]) {
      const { stdout } = await desk.gantry(argv);
      expect(stdout).toContain('ab c d');
      expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
  });
});
