/** In which clusters waiting tasks may be placed after a change of the store. Pure. Too many cost reads, too few a minute's wait. */
import { hostCapacityOf, waitingClusterOf } from '../../control/store/images.ts';
import type { Item } from '../../control/store/table.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { StreamRecord } from '../stream.ts';

export function clusterToLookAt({ before, after }: Pick<StreamRecord, 'before' | 'after'>): string | undefined {
  if (after === undefined) return undefined;
  const waiting = waitingClusterOf(after);
  // A change of one that waits already is the loop's own: a new explanation.
  if (waiting !== undefined) return before === undefined ? waiting : undefined;
  const host = hostCapacityOf(after);
  return host !== undefined && couldTakeMore(capacityBefore(before), host) ? host.cluster : undefined;
}

const capacityBefore = (item: Item | undefined): HostCapacity | undefined =>
  item === undefined ? undefined : hostCapacityOf(item);

function couldTakeMore(before: HostCapacity | undefined, after: HostCapacity): boolean {
  if (!isPlaceable(after)) return false;
  return before === undefined || !isPlaceable(before) || hasGained(before, after);
}

const isPlaceable = ({ status, connected, epoch, reportedEpoch }: HostCapacity): boolean =>
  status === 'ACTIVE' && connected && epoch === reportedEpoch;

function hasGained(before: HostCapacity, after: HostCapacity): boolean {
  return (
    after.freeCpuUnits > before.freeCpuUnits ||
    after.freeMemoryMib > before.freeMemoryMib ||
    // A port, or with distinctInstance a whole host, may be what was lacking.
    isMissingSome(after.ports, before.ports) ||
    isMissingSome(after.groups, before.groups) ||
    Object.entries(after.attributes).some(([name, value]) => before.attributes[name] !== value)
  );
}

const isMissingSome = (now: object, before: object): boolean =>
  Object.keys(before).some((name) => !Object.hasOwn(now, name));
