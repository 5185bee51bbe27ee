/** `npm run bench -- place`: how many tasks a second the control plane places, over signed HTTP, in clusters of several sizes. */
import { loadavg, tmpdir } from 'node:os';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { batch } from './load.ts';
import { measurePlacing, sizes } from './measure.ts';
import { missed, reportText } from './report.ts';

export const placeBench: Bench = {
  name: 'place',
  summary:
    'tasks placed a second over HTTP with 100 to 10,000 hosts, beside the bare store; requests and units on DynamoDB',
  usage: [
    ['--rounds N', 'in each, every control plane places 1,000 tasks (20)'],
    ['--directory DIR', 'where the stores are made, which is which disk is measured'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    rounds: { type: 'string', default: '20' },
    directory: { type: 'string', default: tmpdir() },
    write: { type: 'boolean', default: false },
  },
  run,
};

/** Calls that are counted on DynamoDB in each cluster. */
const countedCalls = 5;

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > 0.5) say(`the load of this machine is ${loadBefore.toFixed(2)}: its figures will say little`);
  const measured = await measurePlacing({ rounds, directory: String(options.directory), say, signal });
  say('requests to DynamoDB');
  // The construct library and the platform are loaded for this part alone.
  const { countPlacements, excessOf } = await import('./dynamodb.ts');
  const dynamoDb = await countPlacements({ sizes, calls: countedCalls, batch });
  const text = reportText({
    command: `npm run bench -- place --rounds ${rounds}`,
    date: new Date().toISOString().slice(0, 10),
    machine: machineLine(),
    loadBefore,
    measured,
    dynamoDb,
  });
  console.log(text);
  if (options.write === true) writeFigures('place', text);
  for (const excess of [...missed(measured), ...excessOf(dynamoDb)]) say(`beyond its target: ${excess}`);
}
