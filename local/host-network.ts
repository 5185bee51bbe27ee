/** The part of a host's network that is there before its agent is: the namespace that is its machine, where it has one. */
import { createHostNamespace, removeHostNamespace } from '../agent/network/host-namespace.ts';
import { removeHostNetwork } from '../agent/network/host-network.ts';
import { listContainerNetns } from '../agent/network/names.ts';
import { networkConfigOf } from './agents.ts';
import type { HostPlan } from './host-plan.ts';

/** Also where it is there already: whoever made it may have died in the middle. */
export async function ensureHostNetwork({ networkNamespace, address }: HostPlan): Promise<void> {
  if (networkNamespace !== undefined) await createHostNamespace({ ...networkNamespace, address });
}

/** Takes away what agents and `ensureHostNetwork` made, and the namespaces of containers that an agent left. */
export async function removeNetworks(hosts: readonly HostPlan[]): Promise<void> {
  for (const host of hosts) {
    for (const { name } of listContainerNetns(host.containerdNamespace)) await removeHostNamespace(name);
    await removeHostNetwork(networkConfigOf(host));
    if (host.networkNamespace !== undefined) await removeHostNamespace(host.networkNamespace.name);
  }
}
