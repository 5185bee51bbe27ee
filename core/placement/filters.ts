/**
 * The filters of placement, each in one object with its words: whether a host may take a task, what one host lacks, and how a
 * number of refused hosts is summed up. Binding: what a filter refuses is never placed. Ranking is strategies.ts.
 *
 * Reasons are ECS' own (ecs-semantics.md 3.2), since clients match them. A host that is not ACTIVE reads INACTIVE, which ECS answers
 * for a deregistered host; distinctInstance reads "DistinctInstance placement constraint unsatisfied.", as ECS answers it.
 */
import type { HostCapacity } from '../model/host.ts';
import type { HostPort } from '../model/resources.ts';
import type { PlacementNeeds } from '../model/task.ts';
import { formatList } from '../text.ts';
import { attributeOf, tasksOfGroup } from './capacity.ts';
import type { Dimension } from './explanation.ts';
import { failedMemberOf, memberOfs, queryOf, shownExpression } from './member-of.ts';

export interface Refusal {
  /** ECS' failure reason. */
  readonly reason: string;
  /** What this host lacks, for people. */
  readonly lack: string;
  /** Hosts refused alike are counted together. */
  readonly kind: string;
  /** 0 to 1: how far the host is from fitting. Orders the nearest hosts. */
  readonly distance: number;
}

export interface Filter {
  readonly dimension: Dimension;
  /** True where the host may take the task. Runs for every host looked at, so it builds no texts. */
  check(host: HostCapacity, needs: PlacementNeeds): boolean;
  /** Of a host that `check` refused. */
  explain(host: HostCapacity, needs: PlacementNeeds): Refusal;
  /** Of hosts that `check` refused in the same kind. */
  summarize(hosts: readonly HostCapacity[], needs: PlacementNeeds, kind: string): string;
}

const statusFilter: Filter = {
  dimension: 'status',
  check: (host) => host.status === 'ACTIVE' && host.epoch === host.reportedEpoch,
  explain(host) {
    if (host.status !== 'ACTIVE') {
      const lack = host.status === 'DRAINING' ? 'draining' : 'inactive';
      return { reason: 'INACTIVE', lack, kind: lack, distance: 1 };
    }
    return { reason: 'AGENT', lack: 'has not reported yet', kind: 'has not reported yet', distance: 0.5 };
  },
  summarize: (_hosts, _needs, kind) => kind,
};

const agentFilter: Filter = {
  dimension: 'agent',
  check: (host) => host.connected,
  explain: () => ({ reason: 'AGENT', lack: 'agent disconnected', kind: 'agent disconnected', distance: 0.5 }),
  summarize: (_hosts, _needs, kind) => kind,
};

const missingAttribute = (host: HostCapacity, needs: PlacementNeeds): readonly [string, string] | undefined =>
  Object.entries(needs.attributes).find(([name, value]) => attributeOf(host, name) !== value);

const attributeFilter: Filter = {
  dimension: 'attribute',
  check: (host, needs) => missingAttribute(host, needs) === undefined,
  explain(host, needs) {
    const [name, value] = missingAttribute(host, needs) ?? ['', ''];
    const lack = `attribute ${name} is ${attributeOf(host, name) ?? 'not set'}, needs ${value}`;
    return { reason: 'ATTRIBUTE', lack, kind: name, distance: 1 };
  },
  summarize(hosts, needs, kind) {
    const values = new Set(hosts.map((host) => attributeOf(host, kind) ?? 'not set'));
    const shown = values.size > 3 ? 'other values' : formatList([...values].sort());
    return `attribute ${kind} (${shown}, needs ${needs.attributes[kind] ?? ''})`;
  },
};

const memberOfFilter: Filter = {
  dimension: 'memberOf',
  check: (host, needs) => failedMemberOf(host, needs) === undefined,
  explain(host, needs) {
    const failed = failedMemberOf(host, needs);
    const expression = failed?.expression ?? '';
    return {
      reason: 'MemberOf placement constraint unsatisfied.',
      // Only of the few hosts of which it is shown: there may be thousands that were refused.
      get lack() {
        return `memberOf ${shownExpression(expression)} (${failed === undefined ? '' : queryOf(failed).tell(host)})`;
      },
      kind: expression,
      distance: 1,
    };
  },
  summarize(hosts, needs, kind) {
    const query = memberOfs(needs).find(({ expression }) => expression === kind);
    const told = new Set(query === undefined ? [] : hosts.map((host) => queryOf(query).tell(host)));
    return `memberOf ${shownExpression(kind)}${told.size > 3 ? '' : ` (${[...told].sort().join('; ')})`}`;
  },
};

const distinctInstanceFilter: Filter = {
  dimension: 'distinctInstance',
  check: (host, needs) =>
    !needs.constraints.some(({ type }) => type === 'distinctInstance') || tasksOfGroup(host, needs.group) === 0,
  explain(_host, needs) {
    const lack = `distinctInstance: already has a task of group ${needs.group}`;
    return { reason: 'DistinctInstance placement constraint unsatisfied.', lack, kind: '', distance: 0.5 };
  },
  summarize: (_hosts, needs) => `distinctInstance (already has a task of group ${needs.group})`,
};

/** A filter over an amount that hosts have in all, have left, and that the task needs. */
function amountFilter(amount: {
  readonly dimension: 'cpu' | 'memory';
  readonly reason: string;
  readonly label: string;
  readonly unit: string;
  readonly free: (host: HostCapacity) => number;
  readonly total: (host: HostCapacity) => number;
  readonly needed: (needs: PlacementNeeds) => number;
}): Filter {
  const { dimension, reason, label, unit, free, total, needed } = amount;
  return {
    dimension,
    check: (host, needs) => free(host) >= needed(needs),
    explain: (host, needs) => ({
      reason,
      lack:
        total(host) < needed(needs)
          ? `${label}: ${total(host)} ${unit} in all, needs ${needed(needs)}`
          : `${label}: ${free(host)} ${unit} free, needs ${needed(needs)}`,
      kind: '',
      distance: Math.min(1, (needed(needs) - free(host)) / needed(needs)),
    }),
    summarize(hosts, needs) {
      const largest = Math.max(...hosts.map(total));
      const text = `${label} (largest free ${Math.max(...hosts.map(free))} ${unit}, needs ${needed(needs)}`;
      // Then no wait helps: only a larger host, or a smaller task.
      return largest < needed(needs) ? `${text}; the largest has ${largest} in all)` : `${text})`;
    },
  };
}

const cpuFilter = amountFilter({
  dimension: 'cpu',
  reason: 'RESOURCE:CPU',
  label: 'CPU',
  unit: 'units',
  free: (host) => host.freeCpuUnits,
  total: (host) => host.totalCpuUnits,
  needed: (needs) => needs.reservation.cpuUnits,
});

const memoryFilter = amountFilter({
  dimension: 'memory',
  reason: 'RESOURCE:MEMORY',
  label: 'memory',
  unit: 'MiB',
  free: (host) => host.freeMemoryMib,
  total: (host) => host.totalMemoryMib,
  needed: (needs) => needs.reservation.memoryMib,
});

const takenPorts = (host: HostCapacity, needs: PlacementNeeds): readonly HostPort[] =>
  needs.reservation.ports.filter((port) => host.ports[port] !== undefined);

const portsFilter: Filter = {
  dimension: 'ports',
  check: (host, needs) => needs.reservation.ports.every((port) => host.ports[port] === undefined),
  explain(host, needs) {
    const taken = takenPorts(host, needs);
    const holders = taken.map((port) =>
      host.ports[port] === 'reserved' ? `${port} is reserved` : `${port} is taken by task ${host.ports[port] ?? ''}`,
    );
    const distance = taken.length / needs.reservation.ports.length;
    return { reason: 'RESOURCE:PORTS', lack: `ports: ${formatList(holders)}`, kind: '', distance };
  },
  summarize(hosts, needs) {
    const taken = new Set(hosts.flatMap((host) => takenPorts(host, needs)));
    const named = needs.reservation.ports.filter((port) => taken.has(port));
    const shown = named.length > 5 ? `${named.slice(0, 5).join(', ')} and ${named.length - 5} more` : formatList(named);
    return `ports (${shown} in use)`;
  },
};

/** In this order: a host is counted under the first that refuses it. */
export const filters: readonly Filter[] = [
  statusFilter,
  agentFilter,
  attributeFilter,
  memberOfFilter,
  distinctInstanceFilter,
  cpuFilter,
  memoryFilter,
  portsFilter,
];

/** Whether one more task with these needs may be placed on the host as it is. */
export const fits = (host: HostCapacity, needs: PlacementNeeds): boolean =>
  filters.every((filter) => filter.check(host, needs));
