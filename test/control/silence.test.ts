import { describe, expect, it } from 'vitest';
import { interceptCommits } from './support/intercepted-table.ts';
import { hostView, idOf, startWorld } from './support/world.ts';

describe('a silent host', () => {
  it('gets nothing more after three heartbeats, and is back with its next fetch', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const beat = async (count: number) => {
      for (let index = 0; index < count; index += 1) {
        world.advance(5);
        await world.loop('mark-silent');
      }
    };
    await world.loop('mark-silent');
    await beat(3);
    expect((await hostView(world)).agentConnected).toBe(true);
    await beat(1);
    expect((await hostView(world)).agentConnected).toBe(false);
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    const waiting = await world.call('RunTask', { taskDefinition: 'job' });
    await host.fetch();
    await world.control.loops.idle();
    expect((await hostView(world)).agentConnected).toBe(true);
    const ids = waiting.tasks.map(({ taskArn }) => idOf(taskArn));
    expect((await world.call('DescribeTasks', { tasks: ids })).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
    await beat(3);
    await host.heartbeat();
    await beat(3);
    expect((await hostView(world)).agentConnected).toBe(true);
  });

  it('is not marked when its heartbeat comes in the moment of the mark', async () => {
    let beat = async (): Promise<void> => {};
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          const marks = changes.some((change) => change.kind === 'update' && change.set?.[0]?.value === false);
          if (marks) await beat();
          return forward(changes);
        }),
    });
    const host = await world.host();
    let beats = 0;
    beat = async () => {
      beats += 1;
      await host.heartbeat();
    };
    for (let count = 0; count < 5; count += 1) {
      await world.loop('mark-silent');
      world.advance(5);
    }
    expect([beats, (await hostView(world)).agentConnected]).toEqual([1, true]);
  });

  it('gets the whole time again from a process that takes over, and no more once both look in turns', async () => {
    await using world = await startWorld();
    await world.host();
    const other = await world.another();
    const look = async (by?: typeof other): Promise<boolean | undefined> => {
      world.advance(5);
      await world.loop('mark-silent', by);
      return (await hostView(world)).agentConnected;
    };
    for (let count = 0; count < 3; count += 1) expect(await look()).toBe(true);
    // Nothing was stored lately, so the other one cannot know whether anybody was receiving.
    expect(await look(other)).toBe(true);
    for (const by of [undefined, other, undefined]) expect(await look(by)).toBe(true);
    expect(await look(other)).toBe(false);
  });

  it('is not blamed for time in which the control plane was away', async () => {
    await using world = await startWorld();
    await world.host();
    await world.loop('mark-silent');
    world.advance(3600);
    await world.loop('mark-silent');
    expect((await hostView(world)).agentConnected).toBe(true);
    for (let index = 0; index < 4; index += 1) {
      world.advance(5);
      await world.loop('mark-silent');
    }
    expect((await hostView(world)).agentConnected).toBe(false);
  });
});
