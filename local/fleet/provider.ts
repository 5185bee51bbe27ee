/**
 * The capacity provider of this machine's fleet, as whoever brings the cloud up asks for it: through the API, as anybody would. Other
 * providers, and what tasks are under, stay as they are.
 */
import type { Client } from '../../client/client.ts';
import { defaultClusterName } from '../../core/model/cluster.ts';
import type { CloudOptions } from '../options.ts';

const providerName = 'local';
/** A host of this machine joins within a second or two; a busy machine takes longer. */
const joinSeconds = 60;

/** With a fleet the provider is as the options say, and what the cluster's tasks use; without one it buys nothing any more. */
export async function setProvider(client: Client, { fleet, fleetIdleSeconds }: CloudOptions): Promise<void> {
  const known = await isKnown(client);
  if (fleet === undefined && !known) return;
  const limits = { minHosts: fleet?.min ?? 0, maxHosts: fleet?.max ?? 0 };
  const gantry = { limits, policy: { idleSeconds: fleetIdleSeconds, joinSeconds } };
  await client.call(known ? 'UpdateCapacityProvider' : 'CreateCapacityProvider', { name: providerName, gantry });
  const { clusters } = await client.call('DescribeClusters', { clusters: [defaultClusterName] });
  const { capacityProviders = [], defaultCapacityProviderStrategy: strategy = [] } = clusters[0] ?? {};
  const others = strategy.filter((item) => item.capacityProvider !== providerName);
  await client.call('PutClusterCapacityProviders', {
    cluster: defaultClusterName,
    capacityProviders: [...new Set([...capacityProviders, providerName])],
    defaultCapacityProviderStrategy: fleet === undefined ? others : [{ capacityProvider: providerName, weight: 1 }],
  });
}

async function isKnown(client: Client): Promise<boolean> {
  const { capacityProviders } = await client.call('DescribeCapacityProviders', { capacityProviders: [providerName] });
  return capacityProviders.some(({ status }) => status === 'ACTIVE');
}
