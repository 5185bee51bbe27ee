/** How requests name capacity providers: references.ts. */
import type { ControlDeps } from '../deps.ts';
import { partsNamed } from './references.ts';

type HasRealm = Pick<ControlDeps, 'realm'>;

/** The name of the capacity provider that is meant. */
export const capacityProviderMeant = (deps: HasRealm, reference: string, field: string): string =>
  partsNamed(deps, 'capacity-provider', reference, { field })[0] ?? '';

/** A strategy's items with the names of what they mean. */
export const strategyMeant = <Item extends { readonly capacityProvider: string }>(
  deps: HasRealm,
  field: string,
  strategy: readonly Item[],
): Item[] =>
  strategy.map((item, index) => ({
    ...item,
    capacityProvider: capacityProviderMeant(deps, item.capacityProvider, `${field}[${index}].capacityProvider`),
  }));
