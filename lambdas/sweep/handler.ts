/**
 * The loops' timer on Lambda: each minute every loop whose period is over, one after the other, and again at the times that they ask for
 * before the next sweep. And what EC2 tells of instances. Keeps nothing between two sweeps: which loops are due follows from the minute.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { loops } from '../../control/loops/index.ts';
import { livelyClusterNames } from '../../control/store/clusters.ts';
import type { Context } from '../log.ts';
import { look, lookAgain, type Patience, patienceOf, type Work } from '../look-again.ts';
import { instancesTold } from './instances.ts';
import { tellsOfInstances } from './notices.ts';
import { sharingReads } from './shared-reads.ts';

/** What the schedule sends: when it was due, which is not quite now. */
const scheduleSchema = z.object({ time: z.iso.datetime({ offset: true }) });

const minuteMs = 60_000;
/** A loop that looks each second does so this often within a minute, and some. */
const mostLooks = 120;
/** Until the next sweep has begun: the schedule comes each minute, but not to the second. */
const sweepPatience = { ms: 70_000, mostLooks };
/** After a notice the next sweep may be most of two minutes away. */
const noticePatience = { ms: 110_000, mostLooks };

export interface SweepAnswer {
  readonly loops: number;
  readonly failed: number;
}

/** Throws only where what was said of an instance could not be done, which EventBridge then tells of again. */
export function createSweepHandler(deps: ControlDeps) {
  return async (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<SweepAnswer> => {
    if (tellsOfInstances(event)) {
      await instancesTold(deps, event, patienceOf(deps, context, noticePatience));
      return { loops: 0, failed: 0 };
    }
    const schedule = scheduleSchema.safeParse(event);
    const at = schedule.success ? Date.parse(schedule.data.time) : deps.clock.now();
    return sweep(deps, at, context);
  };
}

export const isDue = (periodSeconds: number, at: number): boolean =>
  Math.floor(at / minuteMs) % Math.max(1, Math.round((periodSeconds * 1000) / minuteMs)) === 0;

async function sweep(
  deps: ControlDeps,
  at: number,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<SweepAnswer> {
  const patience = patienceOf(deps, context, sweepPatience);
  const shared = { ...deps, table: sharingReads(deps.table) };
  const due = loops.filter((loop) => isDue(loop.periodSeconds(deps), at));
  const clusters = await clusterNames(shared);
  const works = due.flatMap((loop): Work[] =>
    loop.scope === 'store' ? [{ loop }] : (clusters ?? []).map((cluster) => ({ loop, cluster })),
  );
  const [own, strangers] = [false, true].map((waits) =>
    works.filter(({ loop }) => (loop.waitsForStrangers ?? false) === waits),
  );
  const failed = await Promise.all([own, strangers].map((some = []) => lookAtAll(deps, shared, some, patience)));
  return { loops: due.length, failed: failed.reduce((sum, count) => sum + count, clusters === undefined ? 1 : 0) };
}

/** Answers how many failed. What was read for the first look (`shared`) may have changed by the next one. */
async function lookAtAll(
  deps: ControlDeps,
  shared: ControlDeps,
  works: readonly Work[],
  patience: Patience,
): Promise<number> {
  const { failed, asked } = await look(shared, works);
  return failed.length + (await lookAgain(deps, asked, patience)).length;
}

/** Once for all loops; undefined where they cannot be read now. */
async function clusterNames(deps: ControlDeps): Promise<string[] | undefined> {
  try {
    return await livelyClusterNames(deps.table, deps.clock.now());
  } catch (error) {
    deps.log.error({ err: error }, 'the clusters could not be listed; the next sweep tries again');
    return undefined;
  }
}
