/**
 * The loops' timer on Lambda: each minute every loop whose period is over, one after the other, each once. And the ends of instances that
 * EC2 tells of. Keeps nothing between two sweeps: which loops are due follows from the minute.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { instanceGone, retireInstance } from '../../control/hosts/retire.ts';
import { loops } from '../../control/loops/index.ts';
import type { Loop } from '../../control/loops/loop.ts';
import { livelyClusterNames } from '../../control/store/clusters.ts';
import { sharingReads } from './shared-reads.ts';

/** What the schedule sends: when it was due, which is not quite now. */
const scheduleSchema = z.object({ time: z.iso.datetime({ offset: true }) });

const instanceSchema = z.object({
  'detail-type': z.literal('EC2 Instance State-change Notification'),
  detail: z.object({ 'instance-id': z.string(), state: z.string() }),
});

const minuteMs = 60_000;

export interface SweepAnswer {
  readonly loops: number;
  readonly failed: number;
}

/** Throws only where an instance's end could not be recorded, which EventBridge then tells of again. */
export function createSweepHandler(deps: ControlDeps) {
  return async (event: unknown): Promise<SweepAnswer> => {
    const instance = instanceSchema.safeParse(event);
    if (instance.success) {
      await endInstance(deps, instance.data.detail);
      return { loops: 0, failed: 0 };
    }
    const schedule = scheduleSchema.safeParse(event);
    const at = schedule.success ? Date.parse(schedule.data.time) : deps.clock.now();
    return sweep({ ...deps, table: sharingReads(deps.table) }, at);
  };
}

/** A stopped instance may start again, and its host is then back; one that shuts down for good is not. */
async function endInstance(
  deps: ControlDeps,
  { 'instance-id': instanceId, state }: z.infer<typeof instanceSchema>['detail'],
): Promise<void> {
  if (state !== 'shutting-down' && state !== 'terminated') return;
  const known = await retireInstance(deps, instanceId, instanceGone(instanceId, 'terminated'));
  if (known) deps.log.info({ instanceId, state }, 'the host of an instance has ended with it');
}

export const isDue = (periodSeconds: number, at: number): boolean =>
  Math.floor(at / minuteMs) % Math.max(1, Math.round((periodSeconds * 1000) / minuteMs)) === 0;

async function sweep(deps: ControlDeps, at: number): Promise<SweepAnswer> {
  const due = loops.filter((loop) => isDue(loop.periodSeconds(deps), at));
  const clusters = await clusterNames(deps);
  let failed = clusters === undefined ? 1 : 0;
  for (const loop of due) {
    const over = loop.scope === 'store' ? [undefined] : (clusters ?? []);
    for (const cluster of over) if (!(await run(deps, loop, cluster))) failed += 1;
  }
  return { loops: due.length, failed };
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

/** One loop's failure holds up no other: the next sweep tries again. */
async function run(deps: ControlDeps, loop: Loop, cluster: string | undefined): Promise<boolean> {
  try {
    await (loop.scope === 'store' ? loop.activate(deps) : loop.activate(deps, cluster ?? ''));
    return true;
  } catch (error) {
    deps.log.error({ err: error, loop: loop.name, cluster }, 'a loop failed; the next sweep tries again');
    deps.metrics.count('LoopFailed', 1, { loop: loop.name });
    return false;
  }
}
