/**
 * Measures the contenders side by side: in each round every one starts one container, in an order drawn for the round, so that what the
 * machine does meanwhile, and what the one before leaves behind, meets all alike. One container is there at a time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, shuffledIndexes } from '../../core/random.ts';
import type { Contender } from './contender.ts';
import { Listener } from './listener.ts';

/** Milliseconds from the request. */
export interface Sample {
  /** To the process' first act. */
  readonly process: number;
  /** Until the API said that it runs. */
  readonly running: number;
  /** Until the first request was answered. */
  readonly accepted?: number;
}

/** By contender, in the order of the rounds. */
export type Samples = ReadonlyMap<Contender, readonly Sample[]>;

export interface RoundsOptions {
  readonly rounds: number;
  /** Not counted: caches fill, code is compiled. */
  readonly warmUps: number;
  readonly random: Random;
  readonly onRound: (done: number) => void;
  readonly signal: AbortSignal;
}

/** For the kernel to take away what was removed before the next container starts: network namespaces go in the background. */
const restMs = 100;

export async function measureRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<Samples> {
  await using listeners = new AsyncDisposableStack();
  const samples = new Map<Contender, Sample[]>();
  const byContender = new Map<Contender, Listener>();
  for (const contender of contenders) {
    byContender.set(contender, listeners.use(await Listener.open(contender.callbackAddress)));
    samples.set(contender, []);
  }
  for (let round = -options.warmUps; round < options.rounds; round += 1) {
    for (const index of shuffledIndexes(contenders.length, options.random)) {
      const contender = contenders[index];
      const listener = contender === undefined ? undefined : byContender.get(contender);
      if (contender === undefined || listener === undefined) throw new Error('every contender has a listener');
      options.signal.throwIfAborted();
      const sample = await measureOne(contender, listener);
      if (round >= 0) samples.get(contender)?.push(sample);
      await delay(restMs);
    }
    if (round >= 0) options.onRound(round + 1);
  }
  return samples;
}

async function measureOne(contender: Contender, listener: Listener): Promise<Sample> {
  const { begun, container, caller } = await startOne(contender, listener);
  caller.dismiss();
  await container.remove();
  return {
    process: caller.at - begun,
    running: container.runningAt - begun,
    ...(container.acceptedAt !== undefined && { accepted: container.acceptedAt - begun }),
  };
}

/** Fails with whichever of the two fails first: a container that does not start does not connect either. */
async function startOne(contender: Contender, listener: Listener) {
  const connected = listener.next();
  const begun = performance.now();
  const [container, caller] = await Promise.all([contender.start(listener.command), connected]);
  return { begun, container, caller };
}

/** Throws an Error where those who claim to run the very same container do not; leaves nothing behind. */
export async function compareSpecifications(contenders: readonly Contender[]): Promise<readonly string[]> {
  const seen = new Map<string, string>();
  for (const contender of contenders) {
    await using listener = await Listener.open(contender.callbackAddress);
    const { container, caller } = await startOne(contender, listener);
    const text = await container.specification?.();
    caller.dismiss();
    await container.remove();
    if (text !== undefined) seen.set(contender.name, text);
  }
  const [[firstName, first] = ['', ''], ...others] = seen;
  for (const [name, text] of others)
    if (text !== first) throw new Error(`${name} and ${firstName} do not run the same container:\n${text}\n${first}`);
  return [...seen.keys()];
}
