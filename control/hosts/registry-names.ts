/**
 * Which credentials of private registries a cluster has, by name, as they were at most five minutes ago: so no fetch costs a read for it,
 * and a host that is refused without any asks for them all the same (docs/adr/0011).
 */
import type { RegistryCredentials } from '../../core/model/registry-credentials.ts';
import type { ControlDeps } from '../deps.ts';
import { clusterRegistryCredentials } from '../store/registry-credentials.ts';

const keptMs = 300_000;

export async function registryNames(
  { table, clock, recent }: Pick<ControlDeps, 'table' | 'clock' | 'recent'>,
  cluster: string,
): Promise<readonly Pick<RegistryCredentials, 'name'>[]> {
  const readAt = clock.now();
  const remembered = recent.registryNames.get(cluster);
  if (remembered !== undefined && readAt - remembered.readAt < keptMs) return remembered.known;
  const known = await clusterRegistryCredentials(table, cluster, { eventual: true });
  recent.registryNames.set(cluster, { known, readAt });
  return known;
}
