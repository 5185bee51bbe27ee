/** What release gives back of what placement took (host-capacity.ts): one conditional change of the host's capacity item. */
import type { HostCapacity } from '../../core/model/host.ts';
import { tasksOfGroup } from '../../core/placement/capacity.ts';
import { amounts, changeOf, grown, type Holding, totalsOf, type Update } from './host-capacity.ts';
import type { Change, Condition, Path } from './table.ts';

/** Gives the holdings back. Refused only where another release or placement of the same groups came in between. */
export function release(seen: HostCapacity, holdings: readonly Holding[]): Change {
  const totals = totalsOf(holdings);
  const update: Update = { set: [grown], add: amounts(1, totals, holdings.length), remove: [] };
  const when: Condition[] = [{ item: 'exists' }];
  countRelease(seen, update, when);
  for (const [port, taskId] of totals.ports) {
    if (seen.ports[port] !== taskId) continue;
    when.push({ path: ['ports', port], is: '=', value: taskId });
    update.remove.push(['ports', port]);
  }
  for (const [group, count] of totals.groups) {
    const before = tasksOfGroup(seen, group);
    if (before === 0) continue;
    const path: Path = ['groups', group];
    const someAreLeft = before > count;
    // A group without tasks must be absent: distinctInstance tests for that, and the item must not grow for ever.
    when.push({ path, is: someAreLeft ? '>' : '=', value: someAreLeft ? count : before });
    if (someAreLeft) update.add.push({ path, by: -count });
    else update.remove.push(path);
  }
  return changeOf(seen, update, when);
}

/** The same by the control plane's own word, so that the host's agent must look: the generation grows. */
export function releaseForGood(seen: HostCapacity, holdings: readonly Holding[]): Change {
  const change = release(seen, holdings);
  if (change.kind !== 'update') return change;
  return { ...change, add: [...(change.add ?? []), { path: ['generation'], by: 1 }] };
}

/** A host that was admitted before releases were counted has no count yet. */
function countRelease(seen: HostCapacity, update: Update, when: Condition[]): void {
  const path: Path = ['releases'];
  if (seen.releases !== undefined) update.add.push({ path, by: 1 });
  else {
    when.push({ path, is: 'absent' });
    update.set.push({ path, value: 1 });
  }
}
