/** `gantry hosts`: a row a host, with what is free of what it has. */
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { formatCpu, formatMib } from '../../core/text.ts';
import type { Output } from '../output.ts';

export function printHostTable(hosts: readonly ContainerInstanceView[], out: Output): void {
  out.table(
    ['NAME', 'STATUS', 'CONNECTED', 'CPU FREE', 'MEMORY FREE', 'RUNNING', 'PENDING', 'ADDRESS'],
    hosts.map((host) => [
      host.hostName,
      out.paint(host.status === 'ACTIVE' ? 'green' : 'yellow', host.status),
      host.agentConnected ? 'yes' : out.paint('red', 'no'),
      freeOf(host, 'CPU', formatCpu),
      freeOf(host, 'MEMORY', formatMib),
      String(host.runningTasksCount),
      String(host.pendingTasksCount),
      host.hostAddress,
    ]),
  );
  for (const { hostName, condition, statusReason } of hosts)
    if (condition !== undefined) out.line(out.paint('yellow', `${hostName} ${condition}: ${statusReason ?? ''}`));
}

/** `1.5 vCPU of 2 vCPU`. */
function freeOf(host: ContainerInstanceView, name: string, format: (amount: number) => string): string {
  const amount = (resources: ContainerInstanceView['remainingResources']): string =>
    format(resources.find((resource) => resource.name === name)?.integerValue ?? 0);
  return `${amount(host.remainingResources)} of ${amount(host.registeredResources)}`;
}
