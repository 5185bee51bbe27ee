/** Whether what a capacity provider may buy is on offer, where somebody here knows what is: elsewhere whoever buys says so. */
import { GantryError } from '../../core/errors.ts';
import type { CapacityProvider } from '../../core/model/capacity.ts';
import { defaultClusterName } from '../../core/model/cluster.ts';
import { parameterFault } from '../../core/model/faults.ts';
import { allowedOffers, matches } from '../../core/plan/capacity/allowed-offers.ts';
import type { ControlDeps } from '../deps.ts';

const mostShown = 10;

/** Throws where a name is no offer's, or nothing satisfies all of the wish. */
export async function checkOffers(
  { catalogue, log }: Pick<ControlDeps, 'catalogue' | 'log'>,
  provider: Pick<CapacityProvider, 'name' | 'offers' | 'configuration' | 'cluster'>,
): Promise<void> {
  if (catalogue === undefined) return;
  const { offers: wish, configuration, cluster = defaultClusterName } = provider;
  const offers = await catalogue.offers(cluster).catch((error: unknown) => {
    log.warn({ err: error, cluster }, 'it is not known what is on offer');
    throw new GantryError('ServiceUnavailableException', 'What is on offer cannot be known at the moment.', {
      hint: 'Try again in a while.',
      cause: error,
    });
  });
  const names = wish.names ?? [];
  const stranger = names.findIndex((pattern) => !offers.some(({ name }) => matches(pattern, name)));
  if (stranger !== -1) {
    const own = configuration.gantry?.offerNames !== undefined;
    const path = own ? 'gantry.offerNames' : `${requirements}.allowedInstanceTypes`;
    const known = offers.map(({ name }) => name);
    const shown = known.length > mostShown ? `${known.slice(0, mostShown).join(', ')}, …` : known.join(', ');
    throw parameterFault(`${path}[${stranger}]`, `Nothing is on offer as ${names[stranger]}.`, `On offer: ${shown}.`);
  }
  if (allowedOffers(provider, offers).length > 0) return;
  throw parameterFault(
    configuration.managedInstancesProvider === undefined ? 'gantry.offerNames' : requirements,
    'No instance types satisfy the instance requirements specified in the Managed Instances capacity provider.',
    `${offers.length} are on offer; all that is required must hold of one of them.`,
  );
}

const requirements = 'managedInstancesProvider.instanceLaunchTemplate.instanceRequirements';
