/** `npm run bench -- cost`: what a task's life and an idle month take of AWS, counted on loopback and priced at list prices. */
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { writeFigures } from '../figures.ts';
import { lifeExcess } from './gates.ts';
import { reportText } from './report.ts';

export const costBench: Bench = {
  name: 'cost',
  summary: 'what a task and an idle month cost on AWS, by counts of a run on loopback',
  usage: [
    ['--lives N', 'lives of tasks that are measured in each cluster (10)'],
    ['--minutes N', 'how long hosts idle; some five for the rarest of what they send (10)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    lives: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
  run,
};

const say = (line: string): void => console.error(`bench: ${line}`);

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const [lives, minutes] = [positiveInteger(options, 'lives'), positiveInteger(options, 'minutes')];
  // The construct library and the platform are loaded for this bench alone.
  const { measureCost } = await import('./measure.ts');
  const result = await measureCost({ lives, minutes, say, signal });
  const text = reportText(result);
  console.log(text);
  if (options.write === true) writeFigures('cost', text);
  for (const [name, counts] of result.lives.filter(([, { webSocketMessages }]) => webSocketMessages > 0).slice(0, 1))
    for (const excess of lifeExcess(counts)) say(`${name} is beyond its gate: ${excess}`);
}
