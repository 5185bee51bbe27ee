/**
 * How long the function `api` takes to start, beside a function of Hono alone that was bundled the same way: both in processes of their
 * own, one after the other in the same rounds.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleFunction } from '../../bin/build-lambdas.ts';
import { openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { seededRandom } from '../../core/random.ts';
import { anyCredentials, startDynoxide } from '../../test/support/dynoxide.ts';
import { type Bench, type BenchOptions, positiveInteger } from '../bench.ts';
import { machineLine, writeFigures } from '../figures.ts';
import { percentile, type Ratio, ratioOfMedians } from '../statistics.ts';
import { coldStart, type Start } from './start.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const warmUps = 3;

export const coldstartBench: Bench = {
  name: 'coldstart',
  summary: 'import and start of the function api, beside a function of Hono alone',
  usage: [
    ['--rounds N', 'starts of each (30)'],
    ['--write', 'keep the figures in bench/README.md'],
  ],
  options: { rounds: { type: 'string', default: '30' }, write: { type: 'boolean', default: false } },
  run,
};

/** What is started. */
const functions = { api: 'lambdas/api/index.ts', 'hono-only': 'bench/coldstart/hono-only.ts' } as const;
type Name = keyof typeof functions;
const names = Object.keys(functions) as Name[];

/** Round by round: the import alone, and until the handler can be called. */
type Starts = Record<Name, { readonly imports: Start[]; readonly ready: Start[] }>;

async function run(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const rounds = positiveInteger(options, 'rounds');
  const load = loadavg()[0] ?? 0;
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'gantry-coldstart-'));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of names) await bundleFunction(repository, functions[name], join(directory, name));
  const dynamo = stack.use(await startDynoxide());
  const environment = await makeTable(dynamo.endpoint);
  const starts: Starts = { api: { imports: [], ready: [] }, 'hono-only': { imports: [], ready: [] } };
  for (let round = -warmUps; round < rounds; round += 1) {
    signal.throwIfAborted();
    // Who is first changes, so that neither always finds the machine as the other has left it.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const entry = join(directory, name, 'index.mjs');
      const imported = await coldStart(entry, {}, name === 'api' ? 'ended' : 'function');
      const ready = await coldStart(entry, environment, 'function');
      if (round < 0) continue;
      starts[name].imports.push(imported);
      starts[name].ready.push(ready);
    }
  }
  const figures = figuresOf(starts, { rounds, load, sizes: sizesOf(directory) });
  console.log(figures.text);
  if (options.write === true) writeFigures('coldstart', figures.text);
  if (figures.ratio > limits.ratio)
    throw new Error(`the import takes ${figures.ratio.toFixed(1)} times as long, not ${limits.ratio}`);
}

async function makeTable(endpoint: string): Promise<Record<string, string>> {
  const region = 'us-east-1';
  const where = { tableName: 'gantry', region, endpoint, credentials: anyCredentials };
  await (await openDynamoDbTable({ ...where, create: true })).close();
  return {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: anyCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: anyCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    GANTRY_TABLE: 'gantry',
    GANTRY_ACCOUNT_ID: '000000000000',
    GANTRY_LOG_LEVEL: 'ERROR',
  };
}

/** Of all files of a function that it does not load seldom, in KB: what the entry imports lies beside it. */
const sizesOf = (directory: string): Record<Name, number> => {
  const size = (name: Name): number =>
    readdirSync(join(directory, name))
      .filter((file) => /^(index|chunk-\w+)\.mjs$/.test(file))
      .reduce((sum, file) => sum + statSync(join(directory, name, file)).size, 0) / 1000;
  return { api: size('api'), 'hono-only': size('hono-only') };
};

/** To reach. */
const limits = { ratio: 30 };

function figuresOf(
  starts: Starts,
  facts: { rounds: number; load: number; sizes: Record<Name, number> },
): { text: string; ratio: number } {
  const of = (name: Name, part: keyof Start): number[] => starts[name].imports.map((start) => start[part]);
  const ratioOf = (part: keyof Start): Ratio => ratioOfMedians(of('api', part), of('hono-only', part), seededRandom(1));
  const [processor, elapsed] = [ratioOf('processor'), ratioOf('elapsed')];
  const cell = (all: readonly number[]): string =>
    `${percentile(all, 0.5).toFixed(1)} (${percentile(all, 0.9).toFixed(1)})`;
  const row = (name: Name): string => {
    const ready = starts[name].ready.map((start) => start.elapsed);
    const cells = [of(name, 'processor'), of(name, 'elapsed'), ready].map(cell);
    return `| ${name} | ${facts.sizes[name].toFixed(0)} | ${cells.join(' | ')} |`;
  };
  const text = [
    `\`npm run bench -- coldstart --rounds ${facts.rounds}\`, ${new Date().toISOString().slice(0, 10)}. ${machineLine()}.`,
    '',
    '| median (p90) | KB | import, ms of processor | import, ms | ready, ms |',
    '|---|---|---|---|---|',
    ...names.map(row),
    '',
    `The import of api takes ${ratioText(processor)} times the processor time of that of hono-only (at most ${limits.ratio}), and`,
    `${ratioText(elapsed)} times as long (95 % intervals; load of the machine before: ${facts.load.toFixed(2)}).`,
  ].join('\n');
  return { text, ratio: processor.ratio };
}

const ratioText = ({ ratio, low, high }: Ratio): string => `${ratio.toFixed(1)} (${low.toFixed(1)}-${high.toFixed(1)})`;
