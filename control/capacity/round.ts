/** What one look of the loop is about: the cluster's purchases and hosts, read after each other in an order that makes them fit. */
import type { HostCapacity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { capacityTurn } from '../store/purchases.ts';
import { PurchaseBook } from './purchase-book.ts';

/** What a plan is made from; enough for one that is only shown. */
export interface Facts {
  readonly deps: ControlDeps;
  readonly cluster: string;
  readonly now: number;
  /** Read before everything else: what is bought meanwhile makes it another. */
  readonly turn: number;
  readonly book: PurchaseBook;
  /** All of the cluster, by name; the name of one that was bought is its instance's id. */
  readonly hosts: ReadonlyMap<string, HostCapacity>;
}

/** With a fleet, so that it may be carried out. */
export interface Round extends Facts {
  readonly fleet: Fleet;
}

export const openRound = async (deps: ControlDeps, fleet: Fleet, cluster: string): Promise<Round> => ({
  ...(await readFacts(deps, cluster)),
  fleet,
});

export async function readFacts(deps: ControlDeps, cluster: string): Promise<Facts> {
  const now = deps.clock.now();
  const turn = await capacityTurn(deps.table, cluster);
  const book = await PurchaseBook.open(deps, cluster);
  const hosts = new Map<string, HostCapacity>();
  for (const host of await deps.capacity.readStrongly(cluster)) {
    // A name may have had other hosts before.
    if (hosts.get(host.name) === undefined || host.status !== 'INACTIVE') hosts.set(host.name, host);
  }
  return { deps, cluster, now, turn, book, hosts };
}
