/**
 * A run of the bench: control planes that know clusters of several sizes, and a bare store, take turns in each round; then tasks are
 * described while others are placed.
 */
import { type Random, seededRandom, shuffledIndexes } from '../../core/random.ts';
import { type BareStore, openBareStore } from './bare-store.ts';
import { type Caller, createCaller } from './caller.ts';
import { startControlPlane } from './control-plane.ts';
import { batch, byCallers, definition, runTask } from './load.ts';

export const sizes = [100, 1000, 10_000] as const;
export type Size = (typeof sizes)[number];

export interface PlaceRun {
  readonly rounds: number;
  /** Which disk the stores are on. */
  readonly directory: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Tasks a second: a round each. */
export interface Rates {
  readonly bySize: ReadonlyMap<Size, number[]>;
  readonly bareStore: number[];
}

export interface Described {
  /** Milliseconds each. */
  readonly took: number[];
  /** Tasks a second that were placed meanwhile. */
  readonly placed: number;
}

export interface PlaceResult {
  readonly rates: Rates;
  /** By how many callers placed. */
  readonly described: ReadonlyMap<number, Described>;
}

export const callers = 16;
const callsPerRound = 100;
const warmUps = 2;

export async function measurePlacing(run: PlaceRun): Promise<PlaceResult> {
  await using opened = new AsyncDisposableStack();
  const bare = opened.use(await openBareStore(run.directory, sizes[0]));
  const bySize = new Map<Size, Caller>();
  for (const size of sizes) {
    run.say(`a control plane that knows ${size} hosts`);
    const caller = opened.use(createCaller(opened.use(await startControlPlane(size, run.directory))));
    await caller.call('RegisterTaskDefinition', definition);
    bySize.set(size, caller);
  }
  const rates = await measureRates(run, bySize, bare);
  const described = new Map<number, Described>();
  for (const placing of [1, callers]) {
    run.say(`tasks are described while ${placing === 1 ? 'one caller places' : `${placing} callers place`}`);
    described.set(placing, await describeWhilePlacing(callerOf(bySize, 1000), placing, run.signal));
  }
  return { rates, described };
}

function callerOf(bySize: ReadonlyMap<Size, Caller>, size: Size): Caller {
  const caller = bySize.get(size);
  if (caller === undefined) throw new Error(`there is no control plane of ${size} hosts`);
  return caller;
}

async function measureRates(run: PlaceRun, bySize: ReadonlyMap<Size, Caller>, bare: BareStore): Promise<Rates> {
  const random = seededRandom(1);
  const rates = { bySize: new Map(sizes.map((size) => [size, [] as number[]])), bareStore: [] as number[] };
  for (let round = -warmUps; round < run.rounds; round += 1) {
    run.signal.throwIfAborted();
    for (const who of shuffled([...sizes, 'bare store'] as const, random)) {
      const rate = who === 'bare store' ? await writeBare(bare) : await placeBy(callerOf(bySize, who));
      if (round >= 0) (who === 'bare store' ? rates.bareStore : (rates.bySize.get(who) ?? [])).push(rate);
    }
    if (round >= 0 && (round + 1) % 5 === 0) run.say(`${round + 1} of ${run.rounds} rounds`);
  }
  return rates;
}

async function placeBy(caller: Caller): Promise<number> {
  const calls = Array.from({ length: callsPerRound });
  const seconds = await byCallers(callers, calls.values(), () => place(caller));
  return (callsPerRound * batch) / seconds;
}

async function place(caller: Caller): Promise<readonly string[]> {
  const { tasks, failures } = JSON.parse(await caller.call('RunTask', runTask));
  if (failures.length > 0) throw new Error(`not all tasks were placed: ${JSON.stringify(failures[0])}`);
  return tasks.map(({ taskArn }: { taskArn: string }) => taskArn);
}

async function writeBare(bare: BareStore): Promise<number> {
  const commits = await bare.record(callsPerRound, runTask);
  const seconds = await byCallers(callers, commits.values(), (commit) => bare.write(commit));
  return (callsPerRound * batch) / seconds;
}

export const describedTasks = 100;
/** The first ones find code that was not used before. */
const descriptions = { uncounted: 100, counted: 500 };

/** One caller describes, one call after the other, while others place without a pause. */
async function describeWhilePlacing(caller: Caller, placing: number, signal: AbortSignal): Promise<Described> {
  const tasks: string[] = [];
  while (tasks.length < describedTasks) tasks.push(...(await place(caller)));
  for (let n = 0; n < descriptions.uncounted; n += 1) await caller.call('DescribeTasks', { tasks });
  let placed = 0;
  let over = false;
  const goOn = async (): Promise<void> => {
    while (!over) {
      const { length } = await place(caller);
      placed += length;
    }
  };
  const begun = performance.now();
  const placers = Array.from({ length: placing }, goOn);
  const took: number[] = [];
  try {
    while (took.length < descriptions.counted) {
      signal.throwIfAborted();
      const asked = performance.now();
      await caller.call('DescribeTasks', { tasks });
      took.push(performance.now() - asked);
    }
  } finally {
    over = true;
    await Promise.all(placers);
  }
  return { took, placed: (placed * 1000) / (performance.now() - begun) };
}

const shuffled = <T>(all: readonly T[], random: Random): T[] =>
  [...shuffledIndexes(all.length, random)].flatMap((index) => all[index] ?? []);
