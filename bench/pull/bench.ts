/** `npm run bench -- pull`: how long an image takes through Gantry's puller and through containerd's own, and what tasks share. */
import { loadavg } from 'node:os';
import { seededRandom } from '../../core/random.ts';
import { formatBytes } from '../../core/text.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { percentile, ratioOfMedians } from '../statistics.ts';
import { measureRounds, measureSharing, type Samples, type Sharing } from './rounds.ts';
import { setStage } from './stage.ts';

const warmUps = 1;
const waitingTasks = 10;

export const pullBench: Bench = {
  name: 'pull',
  summary: 'an image of six layers through Gantry’s puller, beside ctr image pull',
  usage: [
    ['--rounds N', 'pulls of each one (20)'],
    ['--mib N', 'size of the image as it is downloaded (300)'],
    ['--json', 'every sample as JSON'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    rounds: { type: 'string', default: '20' },
    mib: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
  run,
};

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const load = loadavg()[0] ?? 0;
  const sharing = await measureSharing(waitingTasks);
  signal.throwIfAborted();
  const { samples, size } = await measure(rounds, positiveInteger(options, 'mib'), signal);
  const command = `npm run bench -- pull --rounds ${rounds} --mib ${String(options.mib)}`;
  const date = new Date().toISOString().slice(0, 10);
  const facts = `\`${command}\`, ${date}. ${machineLine()}. Load before: ${load.toFixed(2)}.`;
  const text = reportText({ facts, size, samples, sharing });
  console.log(options.json === true ? JSON.stringify({ facts, sharing, samples: [...samples] }, null, 2) : text);
  if (options.write === true) writeFigures('pull', text);
}

async function measure(rounds: number, mib: number, signal: AbortSignal): Promise<{ samples: Samples; size: string }> {
  await using stage = await setStage(mib, say);
  const onRound = (done: number): void => say(`${done} of ${rounds} rounds`);
  const random = seededRandom(rounds);
  const samples = await measureRounds(stage.pullers, { rounds, warmUps, random, onRound, signal });
  return { samples, size: `${formatBytes(stage.bytes)} in ${stage.layers} layers` };
}

interface Report {
  readonly facts: string;
  readonly size: string;
  readonly samples: Samples;
  readonly sharing: Sharing;
}

function reportText({ facts, size, samples, sharing }: Report): string {
  const [gantry = [], ctr = []] = ['gantry', 'ctr'].map((name) => samples.get(name));
  const { ratio, low, high } = ratioOfMedians(gantry, ctr, seededRandom(1));
  const row = ([name, values]: readonly [string, readonly number[]]): string =>
    `| ${name} | ${percentile(values, 0.5).toFixed(0)} | ${percentile(values, 0.99).toFixed(0)} |`;
  const { tasks, servedBytes, imageBytes } = sharing;
  return [
    facts,
    '',
    `| ms, ${size} | p50 | p99 |`,
    '|---|---|---|',
    ...[...samples].map(row),
    '',
    `Median of gantry : median of ctr = ${ratio.toFixed(2)} (95 % interval ${low.toFixed(2)}-${high.toFixed(2)}).`,
    `The registry served ${(servedBytes / imageBytes).toFixed(2)} times the image to ${tasks} tasks that waited for it at once.`,
  ].join('\n');
}
