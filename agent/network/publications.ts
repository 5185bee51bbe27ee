/** Ports of the host that lead to containers, and the rule of iptables that each is. Pure. */
import { containerSpan, hostSpan, type PortSpan, spanSize } from '../../core/model/port-span.ts';
import type { Protocol } from '../../core/model/resources.ts';
import type { NetworkBinding } from '../../core/model/task.ts';

/** Ports of the host that lead to a container: one, or as many in a row as the container has. */
export interface Publication {
  readonly protocol: Protocol;
  readonly host: PortSpan;
  readonly address: string;
  readonly container: PortSpan;
}

export const publicationsOf = (address: string, bindings: readonly NetworkBinding[]): Publication[] =>
  bindings.map((binding) => ({
    protocol: binding.protocol,
    host: hostSpan(binding),
    address,
    container: containerSpan(binding),
  }));

/** A rule of a chain of ours, without the chain: `-p tcp … -j DNAT …`. One a publication, however many ports it has. */
export function publishRule({ protocol, host, address, container }: Publication): string {
  const match = `-p ${protocol} -m ${protocol} --dport`;
  if (spanSize(host) === 1) return `${match} ${host.first} -j DNAT --to-destination ${address}:${container.first}`;
  // The number after the slash is the port from which the kernel counts: each port of the host has its own of the container.
  const ports = `${container.first}-${container.last}/${host.first}`;
  return `${match} ${host.first}:${host.last} -j DNAT --to-destination ${address}:${ports}`;
}
