/** How well capacity is planned: packed statically, followed over a day, and how long one plan takes. */
import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../../core/random.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { measureDay } from './day.ts';
import { measurePlans } from './plan-time.ts';
import { dayTable, planTable, staticTable } from './report.ts';
import { packStatically } from './static.ts';
import { loadTrace } from './trace.ts';

export const capacityBench: Bench = {
  name: 'capacity',
  summary: 'hosts bought for the pods of a public trace, beside the least possible and a metric with an alarm',
  usage: [
    ['--trace DIR', 'where pods.csv of openb is (../shared/data/openb); generated where it is not'],
    ['--compress N', 'how many times faster pods come (50)'],
    ['--boot N', 'seconds from launch to joined (40)'],
    ['--hours N', 'of the simulated day (24)'],
    ['--rounds N', 'plans that are timed (20)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: {
    trace: { type: 'string', default: '../shared/data/openb' },
    compress: { type: 'string', default: '50' },
    boot: { type: 'string', default: '40' },
    hours: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '20' },
    write: { type: 'boolean', default: false },
  },
  run,
};

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const trace = loadTrace(String(options.trace));
  const setting = {
    compress: positiveInteger(options, 'compress'),
    bootSeconds: positiveInteger(options, 'boot'),
    hours: positiveInteger(options, 'hours'),
  };
  console.error(`capacity: ${trace.pods.length} pods, ${trace.source}`);
  const shuffle = seededRandom(3);
  const packed = packStatically(trace.pods, shuffle);
  const days = [];
  for (const day of measureDay(trace.pods, setting)) {
    signal.throwIfAborted();
    console.error(`capacity: ${day.name}: ${day.hostHours.toFixed(0)} host-hours`);
    days.push(day);
    // Signals are heard between the days.
    await setImmediate();
  }
  const plans = measurePlans(trace.pods, positiveInteger(options, 'rounds'));
  const command = `npm run bench -- capacity --compress ${setting.compress} --boot ${setting.bootSeconds} --hours ${setting.hours}`;
  const text = [
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${trace.pods.length} pods (${trace.source}). ${machineLine()}.`,
    staticTable(packed),
    dayTable(days),
    planTable(plans),
  ].join('\n\n');
  console.log(text);
  if (options.write === true) writeFigures('capacity', text);
}
