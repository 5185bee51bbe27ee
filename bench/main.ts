/** `npm run bench -- NAME [options]`: finds the bench by its name and runs it; without a name, lists them. */
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { capacityBench } from './capacity/bench.ts';
import { coldstartBench } from './coldstart/bench.ts';
import { costBench } from './cost/bench.ts';
import { fleetBench } from './fleet.ts';
import { footprintBench } from './footprint/bench.ts';
import { logsBench } from './logs/bench.ts';
import { placeBench } from './place/bench.ts';
import { pullBench } from './pull/bench.ts';
import { startBench } from './start/bench.ts';
import { storeBench } from './store.ts';
import { throughputBench } from './throughput/bench.ts';

const benches: readonly Bench[] = [
  startBench,
  storeBench,
  placeBench,
  pullBench,
  logsBench,
  coldstartBench,
  costBench,
  fleetBench,
  capacityBench,
  footprintBench,
  throughputBench,
];

function list(): string {
  const lines = benches.flatMap(({ name, summary, usage }) => [
    '',
    `  ${name.padEnd(10)} ${summary}`,
    ...usage.map(([option, help]) => `    ${option.padEnd(16)} ${help}`),
  ]);
  return ['npm run bench -- NAME [options]', ...lines].join('\n');
}

const [name, ...args] = process.argv.slice(2);
const bench = benches.find((one) => one.name === name);
if (bench !== undefined) await run(bench);
else {
  console.log(list());
  if (name !== undefined && name !== '--help') process.exitCode = 2;
}

async function run(chosen: Bench): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`bench: ended by ${signal}`)));
  try {
    await chosen.run(parseArgs({ args, options: chosen.options, strict: true }).values, interrupted.signal);
  } catch (error) {
    // Interrupted: what failed then failed for it.
    const reason: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error;
    console.error(reason instanceof Error ? reason.message : reason);
    process.exitCode = 1;
  }
}
