/**
 * Places waiting tasks where the store's stream says that something may have become possible, and has hosts bought for those that still
 * wait. What it misses, the next minute finds.
 */
import type { ControlDeps } from '../../control/deps.ts';
import { placePending } from '../../control/loops/place-pending.ts';
import { isAnyWaiting } from '../../control/store/waiting-tasks.ts';
import type { Context } from '../log.ts';
import { look, lookAgain, patienceOf, type Work } from '../look-again.ts';
import { answerBatch, type BatchAnswer, type StreamRecord } from '../stream.ts';
import type { AskFleet } from './ask-fleet.ts';
import { clusterToLookAt } from './clusters-to-look-at.ts';

/** Where others are quicker every time, the loop asks to look again a little later. The stream's shard waits meanwhile. */
const patience = { ms: 10_000, mostLooks: 2 };

export const createWakeHandler =
  (deps: ControlDeps, askFleet: AskFleet) =>
  (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<BatchAnswer> =>
    answerBatch(event, deps.log, (records) => placeAll(deps, { records, askFleet, context }));

interface Batch {
  readonly records: readonly StreamRecord[];
  readonly askFleet: AskFleet;
  readonly context: Pick<Context, 'getRemainingTimeInMillis'>;
}

/** Each cluster once, whatever the number of its records. Answers the sequence numbers of what must be tried again. */
async function placeAll(deps: ControlDeps, { records, askFleet, context }: Batch): Promise<string[]> {
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
  const works = [...ofCluster.keys()].map((cluster): Work => ({ loop: placePending, cluster }));
  const looked = await look(deps, works);
  const failedLater = await lookAgain(deps, looked.asked, patienceOf(deps, context, patience));
  for (const { cluster = '' } of [...looked.failed, ...failedLater])
    failed.push(...(ofCluster.get(cluster) ?? []).map(({ sequenceNumber }) => sequenceNumber));
  const lacking = await clustersLackingHosts(deps, [...ofCluster.keys()]);
  if (lacking.length > 0) await askFleet(lacking);
  return failed;
}

/** Those with capacity providers whose tasks wait. */
async function clustersLackingHosts(deps: ControlDeps, clusters: readonly string[]): Promise<string[]> {
  const lacking: string[] = [];
  for (const cluster of clusters) {
    try {
      const known = await deps.recent.activeCluster(cluster);
      const mayBuy = known !== undefined && known.capacityProviders.length > 0;
      if (mayBuy && (await isAnyWaiting(deps.table, cluster))) lacking.push(cluster);
    } catch (error) {
      deps.log.error({ err: error, cluster }, 'it is not known whether tasks still wait; the next minute finds it');
    }
  }
  return lacking;
}
