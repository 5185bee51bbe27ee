/** What is on offer as the function that buys has last read it: this one plans and explains, and asks no fleet. */
import type { ControlDeps } from '../../control/deps.ts';
import type { Catalogue } from '../../control/fleet/fleet.ts';
import { storedOffers } from '../../control/store/offers.ts';

export const storedCatalogue = ({ table }: Pick<ControlDeps, 'table'>): Catalogue => ({
  async offers(cluster) {
    const stored = await storedOffers(table, cluster);
    if (stored !== undefined) return stored.offers;
    throw new Error(`Nothing was read yet of what is on offer for the cluster ${cluster}.`);
  },
});
