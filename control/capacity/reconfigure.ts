/** Gives a capacity provider another configuration as a whole: what is not given is not kept, as it is by UpdateCapacityProvider. */
import type { ProviderConfiguration } from '../../core/model/capacity-provider-configuration.ts';
import { providerRules } from '../../core/model/capacity-provider-rules.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getCapacityProvider, replaceCapacityProvider } from '../store/capacity-providers.ts';

/** Does nothing where there is none. */
export async function reconfigureProvider(
  deps: ControlDeps,
  name: string,
  given: ProviderConfiguration,
): Promise<void> {
  const rules = providerRules(given);
  const usedBy = await attempt(deps, { most: 10, what: `capacity provider ${name}` }, async () => {
    const seen = await getCapacityProvider(deps.table, name);
    if (seen?.status !== 'ACTIVE') return [];
    const next = { ...seen, ...rules, updatedAt: deps.clock.now() };
    const { outcome } = await deps.table.commit([replaceCapacityProvider(seen, next)]);
    return outcome === 'done' ? seen.usedBy : undefined;
  });
  for (const cluster of usedBy) deps.activate('buy-capacity', cluster);
}
