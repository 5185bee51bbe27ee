/** `npm run bench -- throughput`: many tasks asked for at once, and all stopped, beside the bare containerd calls at their best. */
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom, shuffledIndexes } from '../../core/random.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { smallDefinition } from '../start/definition.ts';
import { type Stage, setStage } from '../start/stage.ts';
import { percentile, ratioOfMedians } from '../statistics.ts';
import { bareCrowd, type Crowd, gantryCrowd } from './crowds.ts';

/** How many bare calls at once are tried. */
const widths = [2, 4, 8, 16];
const trialShare = 0.25;
/** For the kernel to take away network namespaces in the background. */
const restMs = 2000;

export const throughputBench: Bench = {
  name: 'throughput',
  summary: 'tasks asked for at once to all running, and all stopped, beside the bare containerd calls',
  usage: [
    ['--tasks N', 'at once (200)'],
    ['--rounds N', 'each of both (7)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    tasks: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '7' },
    write: { type: 'boolean', default: false },
  },
  run,
};

/** Containers a second. */
interface Rates {
  readonly started: number[];
  readonly stopped: number[];
}

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const count = positiveInteger(options, 'tasks');
  const rounds = positiveInteger(options, 'rounds');
  const loadBefore = loadavg()[0] ?? 0;
  await using stage = await setStage(
    { withDocker: false, define: (image) => smallDefinition(image, { cpuUnits: 2, memoryMib: 32 }) },
    say,
  );
  const gantry = gantryCrowd(stage.client, stage.host);
  const { crowd: bare, width } = await bestBare(stage, Math.ceil(count * trialShare), signal);
  await measure(gantry, Math.ceil(count * trialShare), { started: [], stopped: [] }, signal); // Caches fill, code is compiled.
  const [ofGantry, ofBare]: [Rates, Rates] = [
    { started: [], stopped: [] },
    { started: [], stopped: [] },
  ];
  const pairs = [
    [gantry, ofGantry],
    [bare, ofBare],
  ] as const;
  const random = seededRandom(rounds);
  for (let round = 1; round <= rounds; round += 1) {
    for (const index of shuffledIndexes(pairs.length, random)) {
      const [crowd, rates] = pairs[index] ?? [gantry, ofGantry];
      await measure(crowd, count, rates, signal);
    }
    say(`${round} of ${rounds} rounds`);
  }
  const text = [
    `\`npm run bench -- throughput --tasks ${count} --rounds ${rounds}\`, ${new Date().toISOString().slice(0, 10)}. ${machineLine()}. ` +
      `Load before: ${loadBefore.toFixed(2)}. Bare calls: ${width} at once.`,
    '',
    `| ${count} at once, a second | gantry: median (least to most) | bare | gantry : bare (95 % interval) |`,
    '|---|---|---|---|',
    row('started, to running', ofGantry.started, ofBare.started),
    row('stopped, to nothing left', ofGantry.stopped, ofBare.stopped),
  ].join('\n');
  console.log(text);
  if (options.write === true) writeFigures('throughput', text);
}

function row(what: string, gantry: readonly number[], bare: readonly number[]): string {
  const { ratio, low, high } = ratioOfMedians(gantry, bare, seededRandom(1));
  const interval = `${ratio.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
  return `| ${what} | ${rangeText(gantry)} | ${rangeText(bare)} | ${interval} |`;
}

const rangeText = (rates: readonly number[]): string =>
  `${percentile(rates, 0.5).toFixed(1)} (${Math.min(...rates).toFixed(1)} to ${Math.max(...rates).toFixed(1)})`;

async function bestBare(
  { contenders }: Stage,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly crowd: Crowd; readonly width: number }> {
  const bare = contenders.find(({ name }) => name === 'bare');
  if (bare === undefined) throw new Error('there are no bare calls');
  let best = { crowd: bareCrowd(bare, 1), width: 1, rate: 0 };
  for (const width of widths) {
    const crowd = bareCrowd(bare, width);
    const rates: Rates = { started: [], stopped: [] };
    await measure(crowd, count, rates, signal);
    const [rate = 0] = rates.started;
    say(`bare, ${width} at once: ${rate.toFixed(1)} started and ${rates.stopped[0]?.toFixed(1)} stopped a second`);
    if (rate > best.rate) best = { crowd, width, rate };
  }
  return best;
}

async function measure(crowd: Crowd, count: number, rates: Rates, signal: AbortSignal): Promise<void> {
  const begunAt = performance.now();
  const begun = await crowd.begin(count, signal);
  rates.started.push(count / ((performance.now() - begunAt) / 1000));
  const endingAt = performance.now();
  await begun.end();
  rates.stopped.push(count / ((performance.now() - endingAt) / 1000));
  await delay(restMs, undefined, { signal });
}
