import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ControlDeps } from '../../control/deps.ts';
import type { ClusterLoop, LoopResult, StoreLoop } from '../../control/loops/loop.ts';
import { createLoopRunner } from '../../control/loops/runner.ts';
import { startWorld, type World } from './support/world.ts';

/** A loop whose runs the test ends one by one. */
class HeldLoop {
  running = 0;
  most = 0;
  readonly runs: string[] = [];
  #held: PromiseWithResolvers<LoopResult>[] = [];

  readonly loop: ClusterLoop = {
    name: 'place-pending',
    scope: 'cluster',
    periodSeconds: () => 60,
    activate: async (_, cluster) => {
      this.runs.push(cluster);
      this.running += 1;
      this.most = Math.max(this.most, this.running);
      const held = Promise.withResolvers<LoopResult>();
      this.#held.push(held);
      try {
        return await held.promise;
      } finally {
        this.running -= 1;
      }
    },
  };

  async end(result: LoopResult | Error = { changed: 0 }): Promise<void> {
    const held = this.#held.shift();
    if (result instanceof Error) held?.reject(result);
    else held?.resolve(result);
    await turn();
  }
}

let world: World;
const deps = (): ControlDeps => world.control.deps;

beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

describe('activations', () => {
  it('that come while the loop runs become one more run, never one beside it', async () => {
    const held = new HeldLoop();
    const runner = createLoopRunner([held.loop], deps);
    for (let count = 0; count < 10; count += 1) runner.activate('place-pending', 'a');
    await turn();
    expect(held.runs).toEqual(['a']);
    for (let count = 0; count < 10; count += 1) runner.activate('place-pending', 'a');
    await held.end();
    expect(held.runs).toEqual(['a', 'a']);
    await held.end();
    await runner.idle();
    expect([held.runs, held.most]).toEqual([['a', 'a'], 1]);
  });

  it('of different clusters run beside each other, and without a cluster they are for all', async () => {
    await world.call('CreateCluster', { clusterName: 'blue' });
    const held = new HeldLoop();
    const runner = createLoopRunner([held.loop], deps);
    runner.activate('place-pending');
    await turn();
    expect(held.runs.toSorted()).toEqual(['blue', 'default']);
    expect(held.most).toBe(2);
    await held.end();
    await held.end();
    await runner.idle();
    expect(runner.status().map(({ cluster, outcome }) => [cluster, outcome])).toEqual([
      ['blue', { changed: 0 }],
      ['default', { changed: 0 }],
    ]);
  });

  it('survive a run that fails', async () => {
    const held = new HeldLoop();
    const runner = createLoopRunner([held.loop], deps);
    runner.activate('place-pending', 'a');
    await turn();
    await held.end(new Error('no store'));
    expect(runner.status()).toMatchObject([{ loop: 'place-pending', cluster: 'a', outcome: { error: 'no store' } }]);
    expect(world.logged).toMatchObject([{ msg: 'a loop failed; its next activation tries again', cluster: 'a' }]);
    runner.activate('place-pending', 'a');
    await turn();
    await held.end({ changed: 2 });
    expect(runner.status()).toMatchObject([{ outcome: { changed: 2 } }]);
  });

  it('begin nothing once the runner is stopped, which waits for what runs', async () => {
    const held = new HeldLoop();
    const runner = createLoopRunner([held.loop], deps);
    runner.activate('place-pending', 'a');
    await turn();
    let stopped = false;
    const stopping = runner.stop().then(() => {
      stopped = true;
    });
    runner.activate('place-pending', 'a');
    await turn();
    expect(stopped).toBe(false);
    await held.end();
    await stopping;
    expect(held.runs).toEqual(['a']);
  });
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function countingLoop(againAt: () => number | undefined): { loop: StoreLoop; runs: () => number } {
    let runs = 0;
    const activate = async (): Promise<LoopResult> => {
      runs += 1;
      const at = againAt();
      return at === undefined ? { changed: 0 } : { changed: 0, againAt: at };
    };
    return { loop: { name: 'mark-silent', scope: 'store', periodSeconds: () => 60, activate }, runs: () => runs };
  }

  it('runs each loop at the start and once a period', async () => {
    const { loop, runs } = countingLoop(() => undefined);
    const runner = createLoopRunner([loop], () => ({ ...deps(), log: pino({ level: 'silent' }) }));
    runner.start();
    await runner.idle();
    expect(runs()).toBe(1);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(runs()).toBe(4);
    await runner.stop();
    await vi.advanceTimersByTimeAsync(180_000);
    expect(runs()).toBe(4);
  });

  it('runs a loop again when it asked for that, and at once when that time is over', async () => {
    const wishes = [world.now() + 5_000, world.now() - 1, undefined];
    const { loop, runs } = countingLoop(() => wishes.shift());
    const runner = createLoopRunner([loop], deps);
    runner.activate('mark-silent');
    await runner.idle();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(runs()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs()).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs()).toBe(3);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(runs()).toBe(3);
    await runner.stop();
  });
});
