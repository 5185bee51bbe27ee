/** `gantry quickstart` over a fake cloud of this machine and a real control plane: its story, its end, and what it leaves. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GantryError } from '../../core/errors.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type CallOptions, type Desk, openDesk, type Running, startCommand } from './support/desk.ts';
import { FakeLocal } from './support/fake-local.ts';
import { stableDay } from './support/transcript.ts';

const files = { 'examples/hello.json': readFileSync(new URL('../../examples/hello.json', import.meta.url), 'utf8') };

interface Stage extends AsyncDisposable {
  readonly desk: Desk;
  readonly host: ScriptedHost;
  readonly local: FakeLocal;
  quickstart(argv?: readonly string[], options?: CallOptions): Running;
}

/** `borrowed`: there is a cloud before. */
async function setStage({ borrowed = false } = {}): Promise<Stage> {
  const desk = await openDesk();
  const local = new FakeLocal();
  let isUp = borrowed;
  local.whileUp = () => {
    isUp = true;
  };
  return {
    desk,
    local,
    host: await desk.world.host(),
    quickstart: (argv = [], options = {}) =>
      startCommand(
        ['quickstart', ...argv],
        { files, local, ...options },
        () => (isUp ? desk.connection : undefined),
        () => desk.world.now(),
      ),
    [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose](),
  };
}

async function play({ desk, host }: Stage, running: Running, exitCode = 0): Promise<void> {
  await running.said('placed on host-1');
  desk.world.advance(1);
  await host.obey();
  const id = [...host.tasks.keys()].at(-1) ?? '';
  desk.logs.write(id, { container: 'hello', text: 'Hello from inside' });
  await running.said('Hello from inside');
  desk.world.advance(2);
  host.end(id, exitCode);
  desk.logs.end(id);
  await host.report();
}

const asked = (local: FakeLocal): string[] => local.calls.map(([what]) => what);

describe('quickstart', () => {
  it('tells the story from nothing to nothing', async () => {
    await using stage = await setStage();
    const running = stage.quickstart();
    await play(stage, running);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stableDay(stdout)).toMatchFileSnapshot('./golden/quickstart.txt');
    expect(asked(stage.local)).toEqual(['upDetached', 'helloImage', 'dispose image', 'down']);
    const own = { dataDir: '/var/lib/gantry-quickstart' };
    expect(stage.local.calls[0]?.[1]).toEqual(own);
    expect(stage.local.calls.at(-1)?.[1]).toEqual({ ...own, purge: true });
    // The image is the one that the machine can pull.
    const { taskDefinition } = await stage.desk.world.call('DescribeTaskDefinition', { taskDefinition: 'hello' });
    expect(taskDefinition.containerDefinitions[0]?.image).toBe('127.0.0.1:5000/hello:offline');
  });

  it('with --keep leaves the cloud up in the usual place, and says what to try next', async () => {
    await using stage = await setStage();
    const running = stage.quickstart(['--keep', '--run-dir', '/r']);
    await play(stage, running);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(asked(stage.local)).toEqual(['upDetached', 'helloImage']);
    expect(stage.local.calls[0]?.[1]).toEqual({ runDir: '/r' });
    expect(stdout).toMatch(
      /The cloud is up at http.*Try\n {2}export GANTRY_RUN_DIR=\/r\n {2}npx gantry run hello --follow/,
    );
    expect(stdout).toContain(`export AWS_ACCESS_KEY_ID=${stage.desk.connection.credentials?.accessKeyId}`);
  });

  it('uses a cloud that is up, and leaves it as it was', async () => {
    await using stage = await setStage({ borrowed: true });
    const running = stage.quickstart();
    await play(stage, running);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^A cloud is up at .*: it is used, and left as it is\n/);
    expect(stdout).toMatch(/is as it was; its history knows the task for some days\.\n$/);
    expect(asked(stage.local)).toEqual(['helloImage', 'dispose image']);
    expect((await stage.desk.world.call('ListTaskDefinitions', {})).taskDefinitionArns).toEqual([]);
  });

  it('does not touch a cloud whose control plane is away', async () => {
    const local = new FakeLocal();
    const away = { endpoint: 'http://127.0.0.1:9', region: 'us-east-1' };
    const { code, stderr } = await startCommand(['quickstart'], { files, local }, () => away).ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /A cloud was brought up here, and the control plane .* cannot be reached.*\n`gantry up`/,
      ),
    });
    expect(asked(local)).toEqual([]);
  });

  it('leaves data that were there before', async () => {
    await using stage = await setStage();
    stage.local.dataThere = true;
    const running = stage.quickstart(['--data', '/mine']);
    await play(stage, running);
    expect((await running.ended).stdout).toContain('Its data were there before and are left.');
    expect(stage.local.calls.at(-1)).toEqual(['down', { dataDir: '/mine', purge: false }]);
  });

  it('tells what the container wrote before it tells its end', async () => {
    await using stage = await setStage();
    const running = stage.quickstart();
    await running.said('placed on host-1');
    await stage.host.obey();
    await running.said('running');
    const [id = ''] = stage.host.tasks.keys();
    stage.host.end(id);
    await stage.host.report();
    stage.desk.logs.write(id, { container: 'hello', text: 'Goodbye' });
    stage.desk.logs.end(id);
    expect((await running.ended).stdout).toMatch(/hello \| Goodbye\n.* container 'hello' exited/);
  });

  it("ends with the container's exit code", async () => {
    await using stage = await setStage();
    const running = stage.quickstart();
    await play(stage, running, 7);
    expect((await running.ended).code).toBe(7);
  });

  it('with --json is one object, and the story stands beside it', async () => {
    await using stage = await setStage();
    const running = stage.quickstart(['--json']);
    await running.said('placed on host-1');
    await stage.host.obey();
    const [id = ''] = stage.host.tasks.keys();
    stage.host.end(id);
    stage.desk.logs.end(id);
    await stage.host.report();
    const { stdout, stderr } = await running.ended;
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 0, kept: false, task: { lastStatus: 'STOPPED' } });
    expect(JSON.parse(stdout).phases.map(({ phase }: { phase: string }) => phase)).toContain('image pulled');
    expect(stderr).toContain('Registered hello:1');
  });

  it('takes everything down on Ctrl-C', async () => {
    await using stage = await setStage();
    const stop = new AbortController();
    const running = stage.quickstart([], { signal: stop.signal });
    await running.said('placed on host-1');
    await stage.host.obey();
    await running.said('running');
    stop.abort();
    expect((await running.ended).code).toBe(130);
    expect(asked(stage.local)).toEqual(['upDetached', 'helloImage', 'dispose image', 'down']);
  });

  it('takes everything down when there is no image', async () => {
    await using stage = await setStage();
    stage.local.imageFails = new Error('No statically linked busybox was found.');
    expect(await stage.quickstart().ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No statically linked'),
    });
    expect(asked(stage.local)).toEqual(['upDetached', 'helloImage', 'down']);
  });

  it('has nothing to take down where the cloud did not come up', async () => {
    await using stage = await setStage();
    stage.local.upFails = new GantryError('ClientException', 'Port 8080 is in use.', { hint: 'Use --port.' });
    expect(await stage.quickstart().ended).toMatchObject({
      code: 1,
      stderr: 'Error: Port 8080 is in use.\nUse --port.\n',
    });
    expect(asked(stage.local)).toEqual(['upDetached']);
  });
});
