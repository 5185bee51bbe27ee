/** `npm run bench -- logs`: what it costs to keep the log of a container that writes 100 MB/s, beside containerd and its shim alone. */
import { loadavg } from 'node:os';
import { seededRandom } from '../../core/random.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { setStage } from '../start/stage.ts';
import { measureBare, measureGantry, type Sample } from './measure.ts';
import { reportText } from './report.ts';

export const logsBench: Bench = {
  name: 'logs',
  summary:
    'the log of a container that writes 100 MB/s: CPU and memory of the agent, lines lost, beside containerd alone',
  usage: [
    ['--rounds N', 'containers that each one runs (5)'],
    ['--seconds N', 'for which each of them writes (5)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
  run,
};

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const seconds = positiveInteger(options, 'seconds');
  const loadBefore = loadavg()[0] ?? 0;
  await using stage = await setStage({ withDocker: false }, say);
  const random = seededRandom(rounds);
  const gantry: Sample[] = [];
  const bare: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const one = async (): Promise<unknown> => gantry.push(await measureGantry(stage, seconds, signal));
    const other = async (): Promise<unknown> => bare.push(await measureBare(stage, seconds, signal));
    for (const measure of random() < 0.5 ? [one, other] : [other, one]) await measure();
    say(`${round} of ${rounds} rounds`);
  }
  const command = `npm run bench -- logs --rounds ${rounds} --seconds ${seconds}`;
  const date = new Date().toISOString().slice(0, 10);
  const text = reportText({ command, date, machine: machineLine(), loadBefore, rounds, seconds }, { gantry, bare });
  console.log(text);
  if (options.write === true) writeFigures('logs', text);
}
