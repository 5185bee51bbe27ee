/** `gantry wait`: what a script learns of tasks that another call has started. */
import { describe, expect, it } from 'vitest';
import { openDesk } from './support/desk.ts';
import { changeObservation, runOne, setScene } from './support/scene.ts';

describe('wait', () => {
  it('ends once all tasks have stopped, with 0 whatever they ended with', async () => {
    await using desk = await openDesk();
    const { done, oom, running, hosts } = await setScene(desk);
    const waiting = desk.start(['wait', done, oom, running]);
    await waiting.said('running');
    await desk.world.call('StopTask', { task: running });
    for (const host of hosts) await host.obey();
    expect(await waiting.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^[0-9a-f]{12} job:1 stopped.*\n[0-9a-f]{12} job:1 stopped.*137.*\n[0-9a-f]{12} web:1 stopped.*\n$/,
      ),
    });
  });

  it('ends with the exit code of a container, where that is wanted', async () => {
    await using desk = await openDesk();
    const { done, oom, broken } = await setScene(desk);
    const codeOf = async (...ids: string[]) => (await desk.gantry(['wait', ...ids, '--exit-code'])).code;
    expect(await codeOf(done)).toBe(0);
    expect(await codeOf(done, oom)).toBe(137);
    expect(await codeOf(broken)).toBe(125);
  });

  it('for running ends while the task goes on', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    const waiting = desk.start(['wait', id, '--for', 'running', '--json']);
    await desk.asked('/watch');
    await host.obey();
    const { code, stdout } = await waiting.ended;
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      reached: true,
      exitCode: 0,
      tasks: [{ lastStatus: 'RUNNING' }],
    });
  });

  it('for running ends with 1 where a task stopped before', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    const waiting = desk.start(['wait', id, '--for', 'running']);
    await desk.asked('/watch');
    await host.fetch();
    host.end(id);
    changeObservation(host, id, () => ({ stopCode: 'TaskFailedToStart', stoppedReason: 'no such image' }));
    await host.report();
    expect(await waiting.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Error: [0-9a-f]{12} will never run: it has stopped\. `gantry why [0-9a-f]{12}`/),
    });
  });

  it('gives up after --timeout with 3, and the task goes on', async () => {
    await using desk = await openDesk();
    const { waiting, running } = await setScene(desk);
    const { code, stdout, stderr } = await desk.gantry(['wait', running, waiting, '--timeout', '1', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'Timeout', message: 'It took longer than 1 s.' } });
    expect(stderr).toContain('2 tasks may go on');
    expect((await desk.world.call('GetTask', { task: running })).task.desiredStatus).toBe('RUNNING');
  });

  it('does not wait for what is not there, nor for what it cannot know', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    expect((await desk.gantry(['wait', running, 'ffffffff'])).code).toBe(4);
    expect(await desk.gantry(['wait', running, '--for', 'running', '--exit-code'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('gantry wait: --exit-code needs the end'),
    });
  });
});

describe('drain --wait', () => {
  it('ends once no task is left, and tells how many there are', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    await host.obey();
    const draining = desk.start(['drain', 'host-1', '--wait']);
    await draining.said('1 task left on host-1\n');
    host.end(id);
    await host.report();
    expect(await draining.ended).toEqual({
      code: 0,
      stdout: 'host-1 is DRAINING: nothing more is placed on it; no task is there\n',
      stderr: '1 task left on host-1\n',
    });
  });

  it('gives up after --timeout with 3, and the host stays DRAINING', async () => {
    await using desk = await openDesk();
    await setScene(desk);
    expect(await desk.gantry(['drain', 'host-1', 'host-2', '--wait', '--timeout', '1'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('Tasks were left after 1 s. The hosts stay DRAINING'),
    });
    expect((await desk.gantry(['hosts', '--where', 'runningTasksCount > 0'])).stdout).toContain('DRAINING');
    expect((await desk.gantry(['drain', 'host-1', '--timeout', '1'])).stderr).toContain('only with --wait');
  });
});
