/** `npm run bench -- start`: how long a container takes to start through Gantry, beside other ways to start the same one. */
import { loadavg } from 'node:os';
import { seededRandom } from '../../core/random.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { makeReport, type Report, reportText } from './report.ts';
import { compareSpecifications, measureRounds, type Samples } from './rounds.ts';
import { setStage } from './stage.ts';

const warmUps = 5;
/** Beyond it something else uses the machine, and the figures say more about that. */
const quietLoad = 0.5;

export const startBench: Bench = {
  name: 'start',
  summary: 'RunTask to process running, beside the bare containerd calls, ctr run and docker run',
  usage: [
    ['--rounds N', 'containers that each one starts (50)'],
    ['--docker', 'with docker run, from a daemon of the bench’s own (installs what is missing)'],
    ['--json', 'results and every sample as JSON'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    rounds: { type: 'string', default: '50' },
    docker: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
  run,
};

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > quietLoad) say(`the machine is busy (load ${loadBefore.toFixed(2)}): the figures will be noisy`);
  const samples = await measure(rounds, options.docker === true, signal);
  const facts = { command: commandOf(options), date: new Date().toISOString().slice(0, 10), machine: machineLine() };
  const report = makeReport({ ...facts, loadBefore, rounds }, samples, seededRandom(1));
  console.log(options.json === true ? jsonText(report, samples) : reportText(report));
  if (options.write === true) writeFigures('start', reportText(report));
}

async function measure(rounds: number, withDocker: boolean, signal: AbortSignal): Promise<Samples> {
  await using stage = await setStage({ withDocker }, say);
  const { contenders } = stage;
  const same = await compareSpecifications(contenders);
  say(`${same.join(' and ')} give containerd the same specification`);
  const onRound = (done: number): void => {
    if (done % 10 === 0 || done === rounds) say(`${done} of ${rounds} rounds`);
  };
  return await measureRounds(contenders, { rounds, warmUps, random: seededRandom(rounds), onRound, signal });
}

const commandOf = ({ rounds, docker }: BenchOptions): string =>
  ['npm run bench -- start', `--rounds ${String(rounds)}`, ...(docker === true ? ['--docker'] : [])].join(' ');

const jsonText = (report: Report, samples: Samples): string =>
  JSON.stringify(
    { ...report, samples: Object.fromEntries([...samples].map(([{ name }, all]) => [name, all])) },
    null,
    2,
  );
