/** What one look of the loop is about: the cluster's purchases and hosts, read after each other in an order that makes them fit. */
import type { HostCapacity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { capacityTurn } from '../store/purchases.ts';
import { PurchaseBook } from './purchase-book.ts';

export interface Round {
  readonly deps: ControlDeps;
  readonly fleet: Fleet;
  readonly cluster: string;
  readonly now: number;
  /** Read before everything else: what is bought meanwhile makes it another. */
  readonly turn: number;
  readonly book: PurchaseBook;
  /** All of the cluster, by name; the name of one that was bought is its instance's id. */
  readonly hosts: ReadonlyMap<string, HostCapacity>;
}

export async function openRound(deps: ControlDeps, fleet: Fleet, cluster: string): Promise<Round> {
  const now = deps.clock.now();
  const turn = await capacityTurn(deps.table, cluster);
  const book = await PurchaseBook.open(deps, cluster);
  const hosts = new Map<string, HostCapacity>();
  for (const host of await deps.capacity.readStrongly(cluster)) {
    // A name may have had other hosts before.
    if (hosts.get(host.name) === undefined || host.status !== 'INACTIVE') hosts.set(host.name, host);
  }
  return { deps, fleet, cluster, now, turn, book, hosts };
}
