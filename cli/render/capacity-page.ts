/** `gantry capacity`: the sums first, then a row a provider, what is on order, what waits, and what would be done next. */
import type { CapacityView, OnOrderView, ProviderCapacityView } from '../../core/api/capacity.ts';
import { formatCpu, formatMib, plural } from '../../core/text.ts';
import type { Output } from '../output.ts';
import { perHour } from './money.ts';
import { section, wouldBuyRows } from './plan-page.ts';
import { formatMoment, type TimeStyle } from './time.ts';

interface Where {
  readonly cluster: string;
  readonly now: number;
}

export function printCapacityPage(capacity: CapacityView, out: Output, where: Where): void {
  out.line(sumsOf(capacity, where.cluster));
  const { providers } = capacity;
  if (providers.length === 0) {
    out.line('No capacity provider buys for it: hosts come and go by themselves.');
  } else {
    out.line();
    out.table(
      ['PROVIDER', 'HOSTS', 'ON ORDER', 'ALLOWED', 'CPU USED', 'MEMORY USED', 'COST'],
      providers.map(providerRow),
    );
  }
  const onOrder = providers.flatMap((provider) =>
    provider.onOrder.map((order) => ({ ...order, capacityProvider: provider.name })),
  );
  printOrders('On order', onOrder, out, where.now);
  part(
    out,
    'Waiting',
    capacity.waiting.map(({ tasks, why }) => [plural(tasks, 'task'), why]),
  );
  for (const provider of providers) printPlan(provider, out);
}

function sumsOf({ providers, otherHosts, usage, hourlyUsd, onOrderHourlyUsd }: CapacityView, cluster: string): string {
  const hosts = otherHosts + providers.reduce((sum, provider) => sum + provider.hosts, 0);
  const onOrder = providers.flatMap((provider) => provider.onOrder).reduce((sum, order) => sum + order.hosts, 0);
  const ordered = onOrder === 0 ? '' : `; ${plural(onOrder, 'host')} on order, ${perHour(onOrderHourlyUsd)}`;
  const used =
    hosts === 0
      ? ''
      : `, ${share(usage.freeCpuUnits, usage.totalCpuUnits)} of CPU and ${share(usage.freeMemoryMib, usage.totalMemoryMib)} of memory in use`;
  return `${cluster} has ${plural(hosts, 'host')}, ${perHour(hourlyUsd)}${used}${ordered}.`;
}

const share = (free: number, total: number): string =>
  `${total === 0 ? 0 : Math.round((100 * (total - free)) / total)} %`;

function providerRow({ name, status, hosts, onOrder, limits, usage, hourlyUsd }: ProviderCapacityView): string[] {
  const used = (free: number, total: number, format: (amount: number) => string): string =>
    total === 0 ? '-' : `${format(total - free)} of ${format(total)}`;
  return [
    status === 'ACTIVE' ? name : `${name} (leaving)`,
    String(hosts),
    String(onOrder.reduce((sum, order) => sum + order.hosts, 0)),
    `${limits.minHosts}..${limits.maxHosts}`,
    used(usage.freeCpuUnits, usage.totalCpuUnits, formatCpu),
    used(usage.freeMemoryMib, usage.totalMemoryMib, formatMib),
    perHour(hourlyUsd),
  ];
}

export interface ProviderOrder extends OnOrderView {
  readonly capacityProvider: string;
}

export function printOrders(title: string, orders: readonly ProviderOrder[], out: Output, now: number): void {
  part(
    out,
    title,
    orders.map((order) => orderRow(order, { terminal: out.terminal, now })),
  );
}

/** What was asked for, and at what price, is in the sentence. */
function orderRow(
  { capacityProvider, hosts, state, orderedAt, instanceIds, failure, why }: ProviderOrder,
  style: TimeStyle,
): string[] {
  return [
    formatMoment(orderedAt, style),
    capacityProvider,
    state === 'OPEN' ? `${hosts} asked for` : `${hosts} booting: ${instanceIds.join(', ')}`,
    failure === undefined ? why : `${why}; ${failure}`,
  ];
}

function printPlan({ name, plan, policy }: ProviderCapacityView, out: Output): void {
  if (plan === undefined) return;
  const { explanation, wouldBuy, leaving, consolidation } = plan;
  part(out, `${name} would buy`, wouldBuyRows(wouldBuy));
  part(
    out,
    `${name} lets go`,
    leaving.map((host) => [host.hostName ?? host.instanceId, perHour(host.hourlyUsd), host.why]),
  );
  if (consolidation.hosts.length > 0) {
    const saves = perHour(consolidation.savesHourlyUsd);
    part(
      out,
      `Consolidation (${policy.consolidation}) would save ${saves} with \`replace\``,
      consolidation.hosts.map((host) => [host.hostName ?? host.instanceId, perHour(host.hourlyUsd), host.why]),
    );
  }
  part(
    out,
    `Why, says ${name}`,
    explanation.map((sentence) => [sentence]),
  );
}

function part(out: Output, title: string, rows: readonly (readonly string[])[]): void {
  if (rows.length > 0) out.line();
  section(out, title, rows);
}
