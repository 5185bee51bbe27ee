/** A short run of chaos (test/chaos/): `kill -9` at random of agents, control plane, containerd and shims while tasks are run. */
import { expect, it } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { shapes } from './platforms.ts';
import { setStage } from './stage.ts';

/** A failure is played again by `npm run test:chaos -- --seed 1 --tasks 24 --pause 1500`. */
const run = { seed: 1, tasks: 24, pauseMs: 1500 };

const [oneMachine] = shapes;

describeWithContainers('kill -9 at random', () => {
  it('loses nothing, runs nothing twice, over-commits nothing and leaves nothing', { timeout: 240_000 }, async () => {
    if (oneMachine === undefined) throw new Error('there is no one machine among the platforms');
    await using stage = await setStage(oneMachine);
    const wrong = await runChaos(stage, {
      ...run,
      prey: ['control-plane', 'containerd', 'shim', 'shim'],
      readsLogs: true,
      say: () => {},
      signal: AbortSignal.timeout(150_000),
    });
    expect(wrong, `seed ${run.seed}`).toEqual([]);
    await stage.cloud.down();
    expect(leftoversOf(stage.cloud)).toEqual([]);
  });
});
