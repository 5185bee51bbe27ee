/**
 * Runs loops within one invocation, and again at the times that they ask for, as long as the invocation may last: there is no runner
 * that would do it later. What is left when it ends, the next minute finds. One loop's failure holds up no other.
 */
import type { ControlDeps } from '../control/deps.ts';
import type { ClusterLoop, LoopResult, StoreLoop } from '../control/loops/loop.ts';
import type { Context } from './log.ts';

export type Work =
  | { readonly loop: ClusterLoop; readonly cluster: string }
  | { readonly loop: StoreLoop; readonly cluster?: undefined };

/** A work that asked to be done again. */
export interface Asked {
  readonly work: Work;
  /** Epoch milliseconds. */
  readonly againAt: number;
}

export interface Looked {
  readonly failed: readonly Work[];
  readonly asked: readonly Asked[];
}

export interface Patience {
  /** What is to be done later than this is left (epoch milliseconds). */
  readonly until: number;
  /** Of each work, so that one that always asks for more ends too. */
  readonly mostLooks: number;
}

/** Each once, one after the other. */
export async function look(deps: ControlDeps, works: Iterable<Work>): Promise<Looked> {
  const failed: Work[] = [];
  const asked: Asked[] = [];
  for (const work of works) {
    const result = await lookAt(deps, work);
    if (result === undefined) failed.push(work);
    else if (result.againAt !== undefined) asked.push({ work, againAt: result.againAt });
  }
  return { failed, asked };
}

/** Each again when it asked for it, the soonest first. Answers those that failed, which are left. */
export async function lookAgain(
  deps: ControlDeps,
  asked: readonly Asked[],
  { until, mostLooks }: Patience,
): Promise<readonly Work[]> {
  const failed: Work[] = [];
  const looks = new Map<Work, number>();
  let left = [...asked];
  for (;;) {
    left = left.filter(({ work, againAt }) => againAt <= until && (looks.get(work) ?? 0) < mostLooks);
    const [next] = left.toSorted((a, b) => a.againAt - b.againAt);
    if (next === undefined) return failed;
    await deps.sleep(Math.max(0, next.againAt - deps.clock.now()));
    looks.set(next.work, (looks.get(next.work) ?? 0) + 1);
    const looked = await look(deps, [next.work]);
    failed.push(...looked.failed);
    left = [...left.filter((one) => one !== next), ...looked.asked];
  }
}

/** Kept for the end of an invocation: what a loop does when it is looked at at the last moment. */
const reserveMs = 10_000;

/** `ms` from now, or less where the invocation ends before. */
export const patienceOf = (
  { clock }: Pick<ControlDeps, 'clock'>,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  { ms, mostLooks }: { readonly ms: number; readonly mostLooks: number },
): Patience => ({ until: clock.now() + Math.min(ms, context.getRemainingTimeInMillis() - reserveMs), mostLooks });

/** Undefined where it failed. */
async function lookAt(deps: ControlDeps, work: Work): Promise<LoopResult | undefined> {
  try {
    return await (work.cluster === undefined ? work.loop.activate(deps) : work.loop.activate(deps, work.cluster));
  } catch (error) {
    const { loop, cluster } = work;
    deps.log.error({ err: error, loop: loop.name, cluster }, 'a loop failed; it is tried again');
    deps.metrics.count('LoopFailed', 1, { loop: loop.name });
    return undefined;
  }
}
