/** `gantry run` before a real control plane: what goes out, what is told, and what it ends with. */
import { describe, expect, it } from 'vitest';
import { GantryError } from '../../core/errors.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type Desk, openDesk } from './support/desk.ts';
import { changeObservation } from './support/scene.ts';

const hello = JSON.stringify({
  family: 'hello',
  cpu: '256',
  memory: '64',
  containerDefinitions: [{ name: 'hello', image: 'busybox', cpu: 256, memory: 64, command: ['true'] }],
});
const files = { 'hello.json': hello };

async function openCluster(): Promise<Desk & { readonly host: ScriptedHost }> {
  const desk = await openDesk();
  return { ...desk, host: await desk.world.host() };
}

/** Runs what was placed and ends it so. */
async function play(
  { world, logs, host }: Desk & { readonly host: ScriptedHost },
  ...exitCodes: readonly number[]
): Promise<void> {
  await host.obey();
  world.advance(1);
  for (const [index, id] of [...host.tasks.keys()].entries()) {
    host.end(id, exitCodes[index] ?? 0);
    logs.end(id);
  }
  await host.report();
}

describe('run', () => {
  it('says where it is without waiting', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const { code, stdout, stderr } = await desk.gantry(['run', 'job']);
    expect(stdout).toMatch(/^[0-9a-f]{12} job:1 is placed on host-1, which has not taken it yet\n$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([0, 1, 42, 255])("ends with the container's exit code %i", async (exitCode) => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--wait']);
    await running.said('placed on host-1');
    await play(desk, exitCode);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toContain(`container 'app' exited with code ${exitCode}`);
  });

  it('of several tasks ends with the first exit code that is not 0', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--wait', '--count', '3']);
    await running.said('placed on host-1');
    await play(desk, 0, 0, 9);
    expect((await running.ended).code).toBe(9);
  });

  it('registers what is in a file and runs that', async () => {
    await using desk = await openCluster();
    const running = desk.start(['run', 'some/hello.json', '--wait'], { files });
    await running.said('registered hello:1');
    await running.said('placed on host-1');
    await play(desk);
    expect((await running.ended).code).toBe(0);
  });

  it('binds tasks to hosts by an expression', async () => {
    await using desk = await openDesk();
    await desk.gantry(['register', 'hello.json'], { files });
    for (const stack of ['dev', 'prod', 'test']) await desk.world.host({ name: stack, attributes: { stack } });
    const flags = ['--constraint', 'memberOf:attribute:stack == prod', '--constraint', 'distinctInstance', '-n', '2'];
    const { code } = await desk.gantry(['run', 'hello', ...flags]);
    expect(code).toBe(0);
    const { tasks } = await desk.world.call('GetTasks', {});
    expect(tasks.map(({ hostName }) => hostName)).toEqual(expect.arrayContaining(['prod', undefined]));
    const why = (await desk.gantry(['why', tasks.find(({ hostName }) => hostName === undefined)?.taskArn ?? '']))
      .stdout;
    expect(why).toContain('memberOf attribute:stack == prod');
    expect(why).toContain('attribute:stack is dev');
  });

  it('sends overrides, strategies and all the rest', async () => {
    await using desk = await openCluster();
    await desk.gantry(['register', 'hello.json'], { files });
    const flags = ['--group', 'g', '--started-by', 'me', '--strategy', 'spread:instanceId', '--strategy', 'random'];
    const more = [
      '--constraint',
      'distinctInstance',
      '--tag',
      'a=b=c',
      '--launch-type',
      'EC2',
      '-e',
      'A=1',
      '-e',
      'B=x=y',
    ];
    const sizes = ['--cpu', '512', '--memory', '128'];
    const { code, stderr } = await desk.gantry([
      'run',
      'hello',
      ...flags,
      ...more,
      ...sizes,
      '--',
      'sh',
      '-c',
      'exit 3',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Warning: tags.+\n$/) });
    const { tasks } = await desk.world.call('GetTasks', {});
    expect(tasks).toMatchObject([
      {
        group: 'g',
        startedBy: 'me',
        launchType: 'EC2',
        cpu: '512',
        memory: '128',
        tags: [{ key: 'a', value: 'b=c' }],
        overrides: {
          cpu: '512',
          memory: '128',
          containerOverrides: [
            {
              name: 'hello',
              command: ['sh', '-c', 'exit 3'],
              cpu: 512,
              memory: 128,
              environment: [
                { name: 'A', value: '1' },
                { name: 'B', value: 'x=y' },
              ],
            },
          ],
        },
      },
    ]);
  });

  it.each(['job', 'job:1', 'arn:aws:ecs:us-east-1:000000000000:task-definition/job:1'])('takes %s', async (named) => {
    await using desk = await openCluster();
    await desk.world.register('job');
    expect(await desk.gantry(['run', named])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(' job:1 is placed'),
    });
  });

  it('leaves what stands after -- to the container', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const { stdout } = await desk.gantry(['run', 'job', '--', 'echo', '--json', '--', '-h']);
    expect(stdout).toMatch(/^[0-9a-f]{12} job:1 is placed/);
    const { tasks } = await desk.world.call('GetTasks', {});
    expect(tasks[0]?.overrides.containerOverrides[0]?.command).toEqual(['echo', '--json', '--', '-h']);
  });

  it('asks which container is meant where there are several', async () => {
    await using desk = await openCluster();
    const containers = ['a', 'b'].map((name) => ({ name, image: 'busybox', memory: 64 }));
    await desk.world.call('RegisterTaskDefinition', { family: 'pair', containerDefinitions: containers });
    const vague = await desk.gantry(['run', 'pair', '--', 'true']);
    expect(vague).toMatchObject({ code: 1, stderr: expect.stringContaining('name one with --container') });
    const wrong = await desk.gantry(['run', 'pair', '--container', 'c', '--memory', '32']);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('it has a, b') });
    const unknown = await desk.gantry(['run', 'pair', '--container', 'c', '--wait']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('it has a, b') });
    expect((await desk.world.call('GetTasks', {})).tasks).toEqual([]);
    expect((await desk.gantry(['run', 'pair', '--container', 'b', '--memory', '32'])).code).toBe(0);
    const { tasks } = await desk.world.call('GetTasks', {});
    expect(tasks[0]?.containers.map(({ memory }) => memory)).toEqual(['64', '32']);
  });

  it('ends with 2 where it was refused, and 122 where it was waited for', async () => {
    await using desk = await openCluster();
    await desk.world.register('huge', { memory: 9999 });
    const argv = ['run', 'huge', '--launch-type', 'EC2'];
    const refused = await desk.gantry(argv);
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Not placed: RESOURCE:MEMORY \(1 host: memory/),
    });
    expect(await desk.gantry([...argv, '--wait'])).toMatchObject({ code: 122 });
  });

  it('waits for a host, and ends with 122 when there was none in time', async () => {
    await using desk = await openCluster();
    await desk.world.register('huge', { memory: 9999 });
    const running = desk.start(['run', 'huge', '--wait', '--placement-timeout', '30']);
    await running.said('no host takes it: 1 host: memory');
    desk.world.advance(31);
    await desk.world.loop('expire-waiting');
    expect(await running.ended).toMatchObject({ code: 122, stderr: expect.stringContaining('RESOURCE:MEMORY') });
  });

  it('ends with 124 after --timeout, and the task goes on', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const { code, stderr } = await desk.gantry(['run', 'job', '--wait', '--timeout', '1']);
    expect(code).toBe(124);
    expect(stderr).toMatch(/It took too long: 1 task may go on; .*gantry stop [0-9a-f]{12}/);
    expect((await desk.world.call('GetTasks', {})).tasks).toMatchObject([{ desiredStatus: 'RUNNING' }]);
  });

  it('ends with 130 on Ctrl-C, and the task goes on', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const stop = new AbortController();
    const running = desk.start(['run', 'job', '--follow'], { signal: stop.signal });
    await running.said('placed on host-1');
    await desk.host.obey();
    await running.said('running');
    stop.abort();
    expect(await running.ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/Interrupted: 1 task may go on/),
    });
    expect((await desk.world.call('GetTasks', {})).tasks).toMatchObject([{ desiredStatus: 'RUNNING' }]);
  });

  it('ends with 125 where the container never started', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--wait']);
    await running.said('placed on host-1');
    await desk.host.fetch();
    const [id = ''] = desk.host.tasks.keys();
    desk.host.end(id);
    const failure = { stopCode: 'TaskFailedToStart', stoppedReason: 'Task failed to start' } as const;
    changeObservation(desk.host, id, () => failure);
    await desk.host.report();
    expect((await running.ended).code).toBe(125);
  });

  it('follows a task over a control plane that goes away', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--wait']);
    await running.said('placed on host-1');
    await desk.host.obey();
    await running.said('running');
    desk.cutConnections();
    await play(desk, 5);
    expect((await running.ended).code).toBe(5);
  });
});

describe('run --follow', () => {
  it('prints what the container writes where the container wrote it', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--follow']);
    await running.said('placed on host-1');
    await desk.host.obey();
    const [id = ''] = desk.host.tasks.keys();
    desk.logs.write(id, { text: 'one' }, { text: 'two', stream: 'stderr' });
    await running.said('two');
    await play(desk, 3);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'one\n' });
    expect(stderr.split('\n')).toContain('two');
  });

  it('waits for what the container wrote last, and says when it is lost', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--follow', '-n', '2']);
    await running.said('placed on host-1');
    await desk.host.obey();
    const [late = '', lost = ''] = desk.host.tasks.keys();
    for (const id of [late, lost]) desk.host.end(id);
    await desk.host.report();
    desk.logs.fail(lost, new GantryError('ResourceNotFoundException', 'no such log'));
    await running.said('stopped (EssentialContainerExited)');
    desk.logs.write(late, { text: 'late' });
    desk.logs.end(late);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${late.slice(0, 12)} | late\n` });
    expect(stderr).toContain(`The log of ${lost.slice(0, 12)} is lost from here: no such log`);
  });

  it('names the task of each line where there are several', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--follow', '-n', '2']);
    await running.said('placed on host-1');
    await desk.host.obey();
    for (const id of desk.host.tasks.keys()) desk.logs.write(id, { text: `I am ${id}` });
    for (const id of desk.host.tasks.keys()) await running.said(`${id.slice(0, 12)} | I am ${id}\n`);
    await play(desk);
    expect((await running.ended).code).toBe(0);
  });

  it('with --json is a line for each line, and one for the end', async () => {
    await using desk = await openCluster();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--follow', '--json']);
    await running.said('placed on host-1');
    await desk.host.obey();
    const [id = ''] = desk.host.tasks.keys();
    desk.logs.write(id, { text: 'one' });
    await running.said('"one"');
    await play(desk, 3);
    const { code, stdout } = await running.ended;
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { kind: 'log', task: id, container: 'app', stream: 'stdout', text: 'one' },
      { kind: 'end', tasks: [{ lastStatus: 'STOPPED' }], failures: [], exitCode: 3 },
    ]);
    expect(code).toBe(3);
  });
});
