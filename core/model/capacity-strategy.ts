/**
 * Capacity provider strategies: ECS' rules, and which of a call's tasks go to which provider. Pure; which providers a cluster has is the
 * caller's to know.
 */
import type { StrategyItem } from './cluster.ts';
import { checkLength, checkRange, firstDouble, parameterFault } from './faults.ts';

/** As callers write it, but for names in place of ARNs. */
interface GivenItem {
  /** Its name. */
  readonly capacityProvider: string;
  readonly weight?: number | undefined;
  readonly base?: number | undefined;
}

export const mostProviders = 20;
const weights = [0, 1000] as const;
const bases = [0, 100_000] as const;

/** `field` names the member; `known` are the names of those that the cluster has. */
export function normaliseStrategy(
  field: string,
  given: readonly GivenItem[],
  known: readonly string[],
): StrategyItem[] {
  checkLength(parameterFault, field, given, [0, mostProviders]);
  const items = given.map(({ capacityProvider, weight = 0, base = 0 }, index) => {
    checkRange(parameterFault, `${field}[${index}].weight`, weight, weights);
    checkRange(parameterFault, `${field}[${index}].base`, base, bases);
    return { capacityProvider, weight, base };
  });
  const double = firstDouble(items, ({ capacityProvider }) => capacityProvider);
  if (double !== undefined)
    throw parameterFault(
      `${field}[${double.index}].capacityProvider`,
      `The capacity provider strategy names ${double.item.capacityProvider} twice.`,
    );
  checkKnown(field, items, known);
  checkSums(field, items);
  return items;
}

function checkKnown(field: string, items: readonly StrategyItem[], known: readonly string[]): void {
  const stranger = items.findIndex(({ capacityProvider }) => !known.includes(capacityProvider));
  if (stranger === -1) return;
  const name = items[stranger]?.capacityProvider ?? '';
  throw parameterFault(
    `${field}[${stranger}].capacityProvider`,
    'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. ' +
      'Associate the capacity provider with the cluster and try again.',
    name.startsWith('FARGATE')
      ? 'Gantry runs tasks on hosts of yours and has no Fargate.'
      : `${name} is not among ${known.length === 0 ? 'none' : known.join(', ')}; PutClusterCapacityProviders adds it.`,
  );
}

function checkSums(field: string, items: readonly StrategyItem[]): void {
  const based = items.flatMap(({ base }, index) => (base > 0 ? [index] : []));
  if (based.length > 1)
    throw parameterFault(
      `${field}[${based[1]}].base`,
      'Only one capacity provider in a capacity provider strategy can have a base defined.',
    );
  // Of one provider alone there is nothing to weigh.
  if (items.length > 1 && items.every(({ weight }) => weight === 0))
    throw parameterFault(
      `${field}[0].weight`,
      'At least one of the capacity providers in a capacity provider strategy must have a weight greater than 0.',
    );
}

export interface Share {
  readonly capacityProvider: string;
  readonly count: number;
}

/**
 * The base first, the rest by weight. `offset` (0 to 1) decides where a weight's share is no whole number: over many calls with offsets
 * that are spread evenly, each provider gets its share exactly, also of calls for one task.
 */
export function sharesOf(strategy: readonly StrategyItem[], count: number, offset: number): Share[] {
  const single = strategy.length === 1;
  const based = strategy.map(({ base }) => Math.min(base, count));
  const rest = count - Math.max(0, ...based);
  const total = single ? 1 : strategy.reduce((sum, { weight }) => sum + weight, 0);
  // How many of the points offset, offset + 1, … lie below the share of these weights. In whole numbers, as an offset close to 1 is lost
  // in the rounding of a difference.
  const pointsBelow = (weights: number): number => {
    const remainder = (weights * rest) % total;
    const whole = (weights * rest - remainder) / total;
    return remainder > offset * total ? whole + 1 : whole;
  };
  let before = 0;
  return strategy.flatMap(({ capacityProvider, weight }, index) => {
    const from = pointsBelow(before);
    before += single ? 1 : weight;
    const count = pointsBelow(before) - from + (based[index] ?? 0);
    return count === 0 ? [] : [{ capacityProvider, count }];
  });
}
