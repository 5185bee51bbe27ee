/** `gantry events`: which it shows, and how it follows. */
import { describe, expect, it } from 'vitest';
import { openDesk } from './support/desk.ts';
import { runOne, setScene } from './support/scene.ts';

describe('gantry events', () => {
  it('shows the last, of a time, of a kind, of a host', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    const shown = async (...argv: string[]): Promise<string[]> =>
      (await desk.gantry(['events', ...argv])).stdout.split('\n').slice(1, -1);
    const all = await shown();
    expect(all.length).toBeGreaterThan(10);
    expect(await shown('-n', '2')).toHaveLength(2);
    expect((await shown('--kind', 'waiting')).join()).toMatch(/no host takes huge:1 now/);
    expect((await shown('--kind', 'waiting', '--kind', 'host')).length).toBeGreaterThan(1);
    expect((await shown('--host', 'host-1')).join()).toMatch(/host-1 ACTIVE, connected/);
    // The running one was started 150 s ago, the waiting one 90 s ago.
    expect((await shown('--since', '100s')).join()).toMatch(/^(?!.*web:1).*huge:1/);
    expect((await shown('--since', new Date(desk.world.now() - 100_000).toISOString())).join()).toMatch(/huge:1/);
    for (const name of [running.slice(0, 8), running])
      expect((await shown('--task', name)).join()).toMatch(/web:1 runs on host-2/);
  });

  it('refuses what is no time', async () => {
    await using desk = await openDesk();
    expect(await desk.gantry(['events', '--since', 'yesterday'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('yesterday is no time.'),
    });
  });

  it.each([
    ['terminal', { columns: 120 }, []],
    ['json', {}, ['--json']],
  ])('follows what happens, over connections that break (%s)', async (_, style, argv) => {
    await using desk = await openDesk();
    await desk.world.host();
    await desk.world.register('job');
    desk.world.advance(1);
    const stop = new AbortController();
    const following = desk.start(['events', '-f', ...argv], { ...style, signal: stop.signal });
    await desk.asked('timeout=25');
    const first = await runOne(desk, 'job');
    await following.said(first.slice(0, 12));
    desk.cutConnections();
    const second = await runOne(desk, 'job');
    await following.said(second.slice(0, 12));
    stop.abort();
    const { code, stdout } = await following.ended;
    expect(code).toBe(130);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    if (argv.length > 0)
      expect(lines.map((line) => JSON.parse(line).resources[0].split('/').at(-1))).toEqual([first, second]);
  });
});
