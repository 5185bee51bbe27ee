/** The host has other totals than it had: what admission changes of its capacity item, by the difference alone. */
import { isDeepStrictEqual } from 'node:util';
import type { HostCapacity } from '../../core/model/host.ts';
import { reportedAttributes } from '../../core/model/host-attributes.ts';
import type { HostPort } from '../../core/model/resources.ts';
import { attributesUpdate } from './host-attributes.ts';
import { changeOf, grown, reservedByHost, type Update } from './host-capacity.ts';
import type { Change, Condition } from './table.ts';

interface HostTotals {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  readonly reservedPorts: readonly HostPort[];
  readonly attributes: HostCapacity['attributes'];
}

/** Of its identity, for expressions. */
export type HostFacts = Pick<HostCapacity, 'agentVersion' | 'registeredAt' | 'instanceId'>;

/** The host has other totals, reserved ports, attributes or facts than it had; undefined where it has the same. */
export function changeTotals(seen: HostCapacity, totals: HostTotals, facts: HostFacts): Change | undefined {
  const cpuUnits = totals.cpuUnits - seen.totalCpuUnits;
  const memoryMib = totals.memoryMib - seen.totalMemoryMib;
  // A port that a task holds stays the task's until it ends.
  const newlyReserved = totals.reservedPorts.filter((port) => seen.ports[port] === undefined);
  const noLongerReserved = (Object.keys(seen.ports) as HostPort[]).filter(
    (port) => seen.ports[port] === reservedByHost && !totals.reservedPorts.includes(port),
  );
  const samePorts = newlyReserved.length === 0 && noLongerReserved.length === 0;
  const next = reportedAttributes(seen, totals.attributes);
  const sameAttributes = isDeepStrictEqual(seen.attributes, next.attributes);
  const attributes = sameAttributes ? undefined : attributesUpdate(seen, next);
  const news = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined || seen[name as keyof HostFacts] === value ? [] : [{ path: [name] as const, value }],
  );
  if (cpuUnits === 0 && memoryMib === 0 && samePorts && sameAttributes && news.length === 0) return undefined;
  const update: Update = {
    set: [
      { path: ['totalCpuUnits'], value: totals.cpuUnits },
      { path: ['totalMemoryMib'], value: totals.memoryMib },
      ...(attributes?.set ?? []),
      grown,
      ...news,
      ...newlyReserved.map((port) => ({ path: ['ports', port] as const, value: reservedByHost })),
    ],
    add: [
      { path: ['freeCpuUnits'], by: cpuUnits },
      { path: ['freeMemoryMib'], by: memoryMib },
    ],
    remove: noLongerReserved.map((port) => ['ports', port] as const),
  };
  return changeOf(seen, update, [
    { path: ['totalCpuUnits'], is: '=', value: seen.totalCpuUnits },
    { path: ['totalMemoryMib'], is: '=', value: seen.totalMemoryMib },
    ...(attributes === undefined ? [] : [attributes.when]),
    ...newlyReserved.map((port): Condition => ({ path: ['ports', port], is: 'absent' })),
    ...noLongerReserved.map((port): Condition => ({ path: ['ports', port], is: '=', value: reservedByHost })),
  ]);
}
