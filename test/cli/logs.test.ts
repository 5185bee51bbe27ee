/** `gantry logs`: of one task and of several, as they are written and afterwards, whatever becomes of connections and hosts. */
import { describe, expect, it } from 'vitest';
import { GantryError } from '../../core/errors.ts';
import { openDesk } from './support/desk.ts';
import { changeObservation, runOne, setScene } from './support/scene.ts';

describe('logs', () => {
  it('begin with the last lines, of one container, and go on until the log ends', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    desk.logs.write(running, { text: '1' }, { text: '2' }, { text: '3' });
    const following = desk.start(['logs', running, '-f', '--tail', '2', '--container', 'app']);
    await following.said('3\n');
    desk.logs.write(running, { text: '4' });
    await following.said('4\n');
    desk.logs.end(running);
    expect(await following.ended).toEqual({ code: 0, stdout: '2\n3\n4\n', stderr: '' });
  });

  it('are taken up where they broke off, and no line comes twice', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    desk.logs.write(running, { text: '1' }, { text: '1' }, { text: 'e', stream: 'stderr' });
    const following = desk.start(['logs', running, '-f']);
    await following.said('e\n');
    desk.cutConnections();
    desk.logs.write(running, { text: '2' }, { text: 'f', stream: 'stderr' });
    await following.said('f\n');
    desk.logs.end(running);
    const { code, stdout, stderr } = await following.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n1\n2\n' });
    expect(stderr).toMatch(/^e\nThe log of [0-9a-f]{12} broke off \(.+\); taking it up again\nf\n$/);
  });

  it('name the container of each line where there are several', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    const containers = ['a', 'b'].map((name) => ({ name, image: 'busybox', memory: 64 }));
    await desk.world.call('RegisterTaskDefinition', { family: 'pair', containerDefinitions: containers });
    const id = await runOne(desk, 'pair');
    await host.obey();
    desk.logs.write(id, { container: 'a', text: '1' }, { container: 'b', text: '2' });
    expect((await desk.gantry(['logs', id])).stdout).toBe('a | 1\nb | 2\n');
    expect((await desk.gantry(['logs', id, '--container', 'b'])).stdout).toBe('2\n');
  });

  it('of a task that waits are waited for with -f', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    const following = desk.start(['logs', id, '-f']);
    await desk.asked('/watch');
    await host.obey();
    desk.logs.write(id, { text: 'at last' });
    desk.logs.end(id);
    expect(await following.ended).toEqual({ code: 0, stdout: 'at last\n', stderr: '' });
  });

  it('end with 130 on Ctrl-C, without a word', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    desk.logs.write(running, { text: '1' });
    const stop = new AbortController();
    const following = desk.start(['logs', running, '-f'], { signal: stop.signal });
    await following.said('1\n');
    stop.abort();
    expect(await following.ended).toEqual({ code: 130, stdout: '1\n', stderr: '' });
  });

  it('say when they break off, after what was there', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    desk.logs.write(running, { text: '1' });
    const following = desk.start(['logs', running, '-f']);
    await following.said('1\n');
    desk.logs.fail(running, new GantryError('ResourceNotFoundException', 'The host has forgotten it.'));
    expect(await following.ended).toEqual({ code: 4, stdout: '1\n', stderr: 'Error: The host has forgotten it.\n' });
  });

  it('are taken up by the offsets of their lines, also behind the last lines and where the beginning is gone', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    const line = (number: number) => ({ text: `${number}`, offset: number * 10, at: number * 1000 });
    desk.logs.write(running, line(1), line(2), line(3));
    const following = desk.start(['logs', running, '-f', '--tail', '2']);
    await following.said('3\n');
    desk.logs.forget(running, 2);
    desk.cutConnections();
    desk.logs.write(running, { ...line(4), notice: true, droppedBytes: 10, text: '10 bytes' }, line(5));
    await following.said('5\n');
    desk.logs.end(running);
    const { stdout, stderr } = await following.ended;
    expect(stdout).toBe('2\n3\n5\n');
    expect(stderr).toMatch(/taking it up again\n10 bytes\n$/);
  });

  it('of several tasks come by their times, with the writer of each line and its time where that is asked for', async () => {
    await using desk = await openDesk();
    const { running, done } = await setScene(desk);
    desk.logs.write(running, { text: 'one', at: 1000 }, { text: 'four', at: 4000, approximate: true });
    desk.logs.write(done, { text: 'two', at: 2000 }, { text: 'three', at: 3000, stream: 'stderr' });
    const [r, d] = [running.slice(0, 12), done.slice(0, 12)];
    expect(await desk.gantry(['logs', running, done])).toEqual({
      code: 0,
      stdout: `${r} | one\n${d} | two\n${r} | four\n`,
      stderr: `${d} | three\n`,
    });
    const since = ['--since', '1970-01-01T00:00:03Z'];
    expect(await desk.gantry(['logs', running, done, '--timestamps', ...since])).toEqual({
      code: 0,
      stdout: `~1970-01-01T00:00:04.000Z ${r} | four\n`,
      stderr: `1970-01-01T00:00:03.000Z ${d} | three\n`,
    });
    const ofFamily = await desk.gantry(['logs', '--family', 'job', '--json']);
    expect(
      ofFamily.stdout
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text)),
    ).toMatchObject([
      { task: done, text: 'two', at: '1970-01-01T00:00:02.000Z' },
      { task: done, text: 'three', stream: 'stderr' },
    ]);
    desk.logs.end(running);
    expect((await desk.gantry(['logs', '--family', 'web', '-f'])).stdout).toBe('one\nfour\n');
    expect(await desk.gantry(['logs', running, '--all'])).toMatchObject({ code: 1 });
    expect(await desk.gantry(['logs', '--family', 'nobody'])).toMatchObject({ code: 4 });
  });

  it('of several tasks go on where one of them cannot be read', async () => {
    await using desk = await openDesk();
    const { running, done } = await setScene(desk);
    desk.logs.write(running, { text: 'one' });
    desk.logs.fail(done, new GantryError('ServiceUnavailableException', 'The host is away.'));
    const { code, stdout, stderr } = await desk.gantry(['logs', done, running]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${running.slice(0, 12)} | one\n` });
    expect(stderr).toBe(`The log of ${done.slice(0, 12)} cannot be read:\nError: The host is away.\n`);
  });

  it('have long lines whole', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    desk.logs.write(
      running,
      { text: 'a', partial: true },
      { text: 'between', stream: 'stderr' },
      { text: 'b', partial: true },
      { text: 'c' },
      { text: 'no end', partial: true },
    );
    expect(await desk.gantry(['logs', running])).toEqual({ code: 0, stdout: 'abc\nno end\n', stderr: 'between\n' });
  });

  it('that their host no longer has are what the task keeps of them, and say so', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = await runOne(desk, 'job');
    await host.obey();
    host.end(id);
    const kept = { at: desk.world.now(), container: 'app', stream: 'stdout', text: 'so it ends' } as const;
    changeObservation(host, id, ({ containers }) => ({
      containers: containers.map((container) => ({ ...container, lastLogLines: [kept] })),
    }));
    await host.report();
    desk.logs.fail(id, new GantryError('ResourceNotFoundException', 'The host has no log of the task.'));
    expect(await desk.gantry(['logs', id])).toEqual({
      code: 0,
      stdout: 'so it ends\n',
      stderr: '[gantry] The host has no log of the task. These are its last lines.\n',
    });
  });

  it('name the containers that the task has', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    expect(await desk.gantry(['logs', running, '--container', 'b'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Its containers: app.'),
    });
  });
});
