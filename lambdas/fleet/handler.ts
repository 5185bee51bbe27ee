/**
 * Buys and ends hosts: each minute for every cluster that may have something to buy or to end, and at once for those that `wake` names.
 * What the loop asks for again is done in the same invocation, for a while; later the minute does it. Alone in having a fleet.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { buyCapacity } from '../../control/loops/buy-capacity.ts';
import { livelyClusters } from '../../control/store/clusters.ts';
import { isAnyPurchaseOpen } from '../../control/store/purchases.ts';
import type { Context } from '../log.ts';
import { look, lookAgain, patienceOf, type Work } from '../look-again.ts';

/** What `wake` sends. */
const callSchema = z.object({ clusters: z.array(z.string()) });
export type FleetCall = z.infer<typeof callSchema>;
/** What the schedule sends. */
const scheduleSchema = z.object({ time: z.iso.datetime({ offset: true }) });
const eventSchema = z.union([callSchema, scheduleSchema]);

/** Until the next minute's is there. */
const minutePatience = { ms: 60_000, mostLooks: 30 };
/** What was bought is told to the tasks, and what was refused is tried elsewhere. Of a burst of calls each goes on for so long. */
const callPatience = { ms: 10_000, mostLooks: 5 };

export interface FleetAnswer {
  readonly clusters: number;
  readonly failed: number;
}

export const createFleetHandler =
  (deps: ControlDeps) =>
  async (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<FleetAnswer> => {
    const asked = eventSchema.parse(event);
    const isCall = 'clusters' in asked;
    const patience = patienceOf(deps, context, isCall ? callPatience : minutePatience);
    const clusters = isCall ? asked.clusters : await clustersToLookAt(deps);
    const works = clusters.map((cluster): Work => ({ loop: buyCapacity, cluster }));
    const looked = await look(deps, works);
    const failedLater = await lookAgain(deps, looked.asked, patience);
    return { clusters: works.length, failed: looked.failed.length + failedLater.length };
  };

/** A cluster without capacity providers costs half a read: what was bought for it before may have to be ended. */
async function clustersToLookAt({ table, clock }: ControlDeps): Promise<string[]> {
  const names: string[] = [];
  for (const { name, capacityProviders } of await livelyClusters(table, clock.now()))
    if (capacityProviders.length > 0 || (await isAnyPurchaseOpen(table, name))) names.push(name);
  return names;
}
