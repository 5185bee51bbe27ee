/** Places waiting tasks where the store's stream says that something may have become possible. What it misses, the next sweep finds. */
import type { ControlDeps } from '../../control/deps.ts';
import { placePending } from '../../control/loops/place-pending.ts';
import { answerBatch, type BatchAnswer, type StreamRecord } from '../stream.ts';
import { clusterToLookAt } from './clusters-to-look-at.ts';

/** Where others are quicker every time, the loop asks to look again a little later; here nobody else would. */
const mostLooks = 3;

export const createWakeHandler =
  (deps: ControlDeps) =>
  (event: unknown): Promise<BatchAnswer> =>
    answerBatch(event, deps.log, (records) => placeAll(deps, records));

/** Each cluster once, whatever the number of its records. */
async function placeAll(deps: ControlDeps, records: readonly StreamRecord[]): Promise<string[]> {
  const failed: string[] = [];
  const ofCluster = new Map<string, StreamRecord[]>();
  for (const record of records) {
    try {
      const cluster = clusterToLookAt(record);
      if (cluster !== undefined) ofCluster.set(cluster, [...(ofCluster.get(cluster) ?? []), record]);
    } catch (error) {
      deps.log.error({ err: error, sequenceNumber: record.sequenceNumber }, 'a changed item cannot be read');
      failed.push(record.sequenceNumber);
    }
  }
  for (const [cluster, because] of ofCluster) {
    try {
      await placeIn(deps, cluster);
    } catch (error) {
      deps.log.error({ err: error, cluster }, 'waiting tasks could not be placed; their records are tried again');
      deps.metrics.count('LoopFailed', 1, { loop: placePending.name });
      failed.push(...because.map(({ sequenceNumber }) => sequenceNumber));
    }
  }
  return failed;
}

async function placeIn(deps: ControlDeps, cluster: string): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const { againAt } = await placePending.activate(deps, cluster);
    if (againAt === undefined || looks === mostLooks) return;
    await deps.sleep(againAt - deps.clock.now());
  }
}
