/**
 * Whether what a capacity provider may buy is on offer. Where a fleet is here, that is known for sure. Where only what another process has
 * read of it is, nothing is refused because nothing was read yet: whoever buys says it on the tasks that wait.
 */
import { GantryError } from '../../core/errors.ts';
import type { CapacityProvider, Offer } from '../../core/model/capacity.ts';
import { defaultClusterName } from '../../core/model/cluster.ts';
import { parameterFault } from '../../core/model/faults.ts';
import { allowedOffers } from '../../core/plan/capacity/allowed-offers.ts';
import { matches } from '../../core/wildcard.ts';
import type { ControlDeps } from '../deps.ts';
import type { Catalogue } from '../fleet/fleet.ts';

const mostShown = 10;

type Deps = Pick<ControlDeps, 'catalogue' | 'fleet' | 'log'>;
type Wishing = Pick<CapacityProvider, 'name' | 'offers' | 'configuration' | 'cluster'>;

/** Answers warnings. Throws where a name is no offer's, or nothing satisfies all of the wish. */
export async function checkOffers(deps: Deps, provider: Wishing): Promise<string[]> {
  const { catalogue, fleet } = deps;
  if (catalogue === undefined) return [];
  const wishes = Object.values(provider.offers).some((wish) => wish !== undefined);
  const offers =
    fleet === undefined ? await offersKnown(deps, catalogue, provider) : await offersNow(deps, fleet, provider);
  if (offers !== undefined) {
    refuseStrangers(provider, offers);
    return [];
  }
  if (!wishes) return [];
  return [
    'What may be bought was not compared with what is on offer, which is not known yet: if nothing satisfies it, the tasks that wait for it say so.',
  ];
}

/** Undefined where that is not known: of a provider that any cluster may have, because what is on offer is each cluster's own. */
async function offersKnown(
  { log }: Deps,
  catalogue: Catalogue,
  { cluster }: Wishing,
): Promise<readonly Offer[] | undefined> {
  if (cluster === undefined) return undefined;
  try {
    const offers = await catalogue.offers(cluster);
    return offers.length === 0 ? undefined : offers;
  } catch (error) {
    log.info({ err: error, cluster }, 'it is not known what is on offer');
    return undefined;
  }
}

const offersNow = (
  { log }: Deps,
  fleet: Catalogue,
  { cluster = defaultClusterName }: Wishing,
): Promise<readonly Offer[]> =>
  fleet.offers(cluster).catch((error: unknown) => {
    log.warn({ err: error, cluster }, 'it is not known what is on offer');
    throw new GantryError('ServiceUnavailableException', 'What is on offer cannot be known at the moment.', {
      hint: 'Try again in a while.',
      cause: error,
    });
  });

function refuseStrangers(provider: Wishing, offers: readonly Offer[]): void {
  const { offers: wish, configuration } = provider;
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
