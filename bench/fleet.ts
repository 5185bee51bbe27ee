/**
 * `npm run bench -- fleet`: from RunTask into a cluster without a host to a container that runs on a host launched for it, and beside
 * it the same again with that host there. Both are measured in each round, one after the other, so that slow moments meet both.
 */
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../client/client.ts';
import { seededRandom } from '../core/random.ts';
import { readLiveHosts } from '../local/fleet/records.ts';
import { cloudPaths } from '../local/options.ts';
import { type CloudHandle, startCloud } from '../test/support/cloud.ts';
import { startTestImages } from '../test/support/test-images.ts';
import { type Bench, type BenchOptions, positiveInteger } from './bench.ts';
import { machineLine, writeFigures } from './figures.ts';
import { percentile, ratioOfMedians } from './statistics.ts';

const warmUps = 2;
/** Short, so that a round does not take long; what is measured is over by then. */
const idleSeconds = 1;
const waitSeconds = 25;
const family = 'bench';

export const fleetBench: Bench = {
  name: 'fleet',
  summary: 'RunTask into an empty cluster to running on a host launched for it, beside the same with the host there',
  usage: [
    ['--rounds N', 'hosts that are launched (50)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: { rounds: { type: 'string', default: '50' }, write: { type: 'boolean', default: false } },
  run,
};

/** Milliseconds from the request until the API said that it runs, a round each. */
interface Measured {
  readonly launched: number[];
  readonly there: number[];
}

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const load = loadavg()[0] ?? 0;
  await using images = await startTestImages();
  await using cloud = await startCloud(['--fleet', '0..2', '--fleet-idle-seconds', `${idleSeconds}`]);
  await cloud.client.call('RegisterTaskDefinition', {
    family,
    networkMode: 'bridge',
    containerDefinitions: [
      {
        name: 'main',
        image: images.busybox,
        memory: 64,
        command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'],
      },
    ],
  });
  const measured: Measured = { launched: [], there: [] };
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted();
    const { launched, there } = await measureRound(cloud);
    if (round < 0) continue;
    measured.launched.push(launched);
    measured.there.push(there);
    if ((round + 1) % 10 === 0) console.error(`bench: ${round + 1} of ${rounds} rounds`);
  }
  const text = figuresText(measured, { rounds, load });
  console.log(text);
  if (options.write === true) writeFigures('fleet', text);
}

async function measureRound(cloud: CloudHandle): Promise<{ launched: number; there: number }> {
  const { client } = cloud;
  const first = await start(client);
  const second = await start(client);
  if (first.host !== second.host) throw new Error('The second task did not come to the host that was there.');
  for (const { task } of [first, second]) await client.call('StopTask', { task });
  while (readLiveHosts(cloudPaths(cloud).fleet).length > 0 || (await hasHosts(client))) await delay(20);
  return { launched: first.runningAfter, there: second.runningAfter };
}

async function start(client: Client): Promise<{ task: string; host: string | undefined; runningAfter: number }> {
  const begun = performance.now();
  const { tasks, failures } = await client.call('RunTask', { taskDefinition: family });
  const task = tasks[0]?.taskArn;
  if (task === undefined) throw new Error(`Gantry did not take the task: ${JSON.stringify(failures)}`);
  const { reached, task: found } = await client.call('GetTask', { task, wait: 'running', timeout: waitSeconds });
  const runningAfter = performance.now() - begun;
  if (reached !== 'yes') throw new Error(`The task does not run: ${found.lastStatus}, ${found.stoppedReason}`);
  return { task, host: found.hostName, runningAfter };
}

const hasHosts = async (client: Client): Promise<boolean> =>
  (await client.call('GetHosts', { cluster: 'default' })).hosts.length > 0;

function figuresText({ launched, there }: Measured, { rounds, load }: { rounds: number; load: number }): string {
  const { ratio, low, high } = ratioOfMedians(launched, there, seededRandom(1));
  const row = (name: string, values: readonly number[]): string =>
    `| ${name} | ${percentile(values, 0.5).toFixed(0)} | ${percentile(values, 0.99).toFixed(0)} |`;
  const date = new Date().toISOString().slice(0, 10);
  return [
    `\`npm run bench -- fleet --rounds ${rounds}\`, ${date}. ${machineLine()}. Load before: ${load.toFixed(2)}.`,
    '',
    '| RunTask to running, ms | p50 | p99 |',
    '|---|---|---|',
    row('no host: one is launched', launched),
    row('the host is there', there),
    '',
    `Median of the first : median of the second ${ratio.toFixed(1)} (95 % interval ${low.toFixed(1)}-${high.toFixed(1)}).`,
  ].join('\n');
}
