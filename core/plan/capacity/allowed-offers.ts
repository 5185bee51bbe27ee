/** Which of a fleet's offers a capacity provider may buy. Pure; judged at each plan, because what is on offer changes. */
import { type CapacityProvider, type Offer, type OfferWish, providerAttribute } from '../../model/capacity.ts';
import { matches } from '../../wildcard.ts';

/** With the attribute that their hosts have: tasks under the provider run on no other. */
export const allowedOffers = (
  { name, offers: wish }: Pick<CapacityProvider, 'name' | 'offers'>,
  offers: readonly Offer[],
): Offer[] =>
  offers
    .filter((offer) => isAllowed(wish, offer))
    .map((offer) => ({ ...offer, attributes: { ...offer.attributes, [providerAttribute]: name } }));

function isAllowed(wish: OfferWish, offer: Offer): boolean {
  const { vcpus, memoryMib } = offer.nominal ?? { vcpus: offer.cpuUnits / 1024, memoryMib: offer.memoryMib };
  return (
    (wish.names === undefined || wish.names.some((pattern) => matches(pattern, offer.name))) &&
    !wish.exceptNames?.some((pattern) => matches(pattern, offer.name)) &&
    isWithin(wish.vcpus, vcpus) &&
    isWithin(wish.memoryMib, memoryMib) &&
    isWithin(wish.memoryGibPerVcpu, memoryMib / 1024 / vcpus)
  );
}

const isWithin = ({ min = 0, max = Infinity }: NonNullable<OfferWish['vcpus']> = {}, value: number): boolean =>
  value >= min && value <= max;
