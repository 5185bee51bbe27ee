/**
 * `npm run test:chaos`: kills agents, control plane, containerd and shims at random while 300 tasks run on three hosts of this machine,
 * and says what did not hold. The same seed decides the same: `-- --seed N` repeats a run as far as decisions go.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { platforms } from '../e2e/platforms.ts';
import { setStage } from '../e2e/stage.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { runChaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${randomInt(1_000_000)}` },
    tasks: { type: 'string', default: '300' },
    minutes: { type: 'string', default: '20' },
    pause: { type: 'string', default: '2000' },
    on: { type: 'string', default: 'SQLite' },
    keep: { type: 'boolean', default: false },
  },
});

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const platform = platforms.find(({ name }) => name === values.on);
  if (platform === undefined) throw new Error(`--on: there are ${platforms.map(({ name }) => name).join(', ')}`);
  const [seed, tasks, minutes, pauseMs] = [values.seed, values.tasks, values.minutes, values.pause].map(Number);
  if (![seed, tasks, minutes, pauseMs].every((value) => value !== undefined && value > 0))
    throw new Error(
      '--seed, --tasks, --minutes and --pause (milliseconds between two kills, on average) are numbers above 0',
    );
  say(`seed ${seed}: ${tasks} tasks on ${platform.name}`);
  const began = Date.now();
  await using stage = await setStage(platform);
  const wrong = await runChaos(stage, {
    seed: seed ?? 1,
    tasks: tasks ?? 0,
    pauseMs: pauseMs ?? 0,
    prey: ['control-plane', 'containerd', 'shim', 'shim'],
    readsLogs: !platform.lacks.includes('live logs'),
    say,
    signal: AbortSignal.timeout((minutes ?? 0) * 60_000),
  });
  if (values.keep && wrong.length > 0) {
    for (const line of wrong) say(`WRONG ${line}`);
    say(`kept in ${stage.cloud.dataDir}; any key ends it`);
    await new Promise((resolve) => process.stdin.once('data', resolve));
  }
  await stage.cloud.down();
  wrong.push(...leftoversOf(stage.cloud).map((line) => `left after everything was taken down: ${line}`));
  for (const line of wrong) say(`WRONG ${line}`);
  say(
    `seed ${seed}: ${wrong.length === 0 ? 'everything held' : `${wrong.length} wrong`} after ${Math.round((Date.now() - began) / 1000)} s`,
  );
  return wrong.length === 0 ? 0 : 1;
}

process.exit(await main());
