/** Limits, stops by force, filters and large counts from the command line. */
import { describe, expect, it } from 'vitest';
import { openDesk } from './support/desk.ts';

describe('limits', () => {
  it('go out with run, and are shown', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job', { cpu: 256 });
    const { stdout } = await desk.gantry(['run', 'job', '--task-timeout', '90', '--cpu-limit', '1 vCPU']);
    await host.obey();
    const id = stdout.slice(0, 12);
    const page = (await desk.gantry(['show', id])).stdout;
    expect(page).toMatch(/CPU limit +1 vCPU\n/);
    expect(page).toMatch(/may run for +1 min 30 s\n/);
    const why = (await desk.gantry(['why', id])).stdout;
    expect(why).toMatch(/runs on host-1, until \d{4}-\d\d-\d\d [\d:]+ UTC at the latest \(its timeout\)/);
    expect(JSON.parse((await desk.gantry(['why', id, '--json'])).stdout)).toHaveProperty('timesOutAt');
  });
});

describe('stop --force', () => {
  it('kills, also what is stopping, and says once that it has stopped', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = (await desk.gantry(['run', 'job'])).stdout.slice(0, 12);
    await host.obey();
    expect((await desk.gantry(['stop', id])).stdout).toContain('job:1 is asked to stop');
    expect((await desk.gantry(['stop', id])).stdout).toContain('The task is stopping already.');
    expect((await desk.gantry(['stop', id, '--force'])).stdout).toContain('job:1 is killed');
    expect((await host.fetch())?.tasks[0]?.desired.force).toBe(true);
    await host.obey();
    expect((await desk.gantry(['stop', id, '--force'])).stdout).toContain('The task has stopped already.');
  });

  it('says what becomes of a task whose host does not answer', async () => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const id = (await desk.gantry(['run', 'job'])).stdout.slice(0, 12);
    await host.obey();
    for (let beat = 0; beat < 5; beat += 1) {
      await desk.world.loop('mark-silent');
      desk.world.advance(5);
    }
    expect((await desk.gantry(['stop', id, '--force'])).stdout).toContain(
      'stopped: Task stopped by user (by force: host-1 does not answer, and will kill it once it does)',
    );
  });
});

describe('ps', () => {
  it('shows tasks by group and tags', async () => {
    await using desk = await openDesk();
    await desk.world.register('job');
    await desk.gantry(['run', 'job', '--tag', 'team=a', '--group', 'nightly']);
    await desk.gantry(['run', 'job', '--tag', 'team=b', '--tag', 'late=', '--group', 'nightly']);
    await desk.gantry(['run', 'job', '--tag', 'team=a']);
    const count = async (...args: string[]): Promise<number> =>
      JSON.parse((await desk.gantry(['ps', '--json', ...args])).stdout).tasks.length;
    expect(await count('--tag', 'team=a')).toBe(2);
    expect(await count('--tag', 'team=a', '--group', 'nightly')).toBe(1);
    expect(await count('--tag', 'team', '--tag', 'late')).toBe(1);
  });
});

describe('run', () => {
  it('says how many tasks follow that are not in the answer', async () => {
    await using desk = await openDesk();
    await desk.world.register('job');
    const { code, stdout, stderr } = await desk.gantry(['run', 'job', '--count', '1001']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1000);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Not listed here: 1 task made after these; `gantry ps` shows all.\n',
    });
  });
});
