/** Which events a change of an item is, whoever hears of it: within its commit, or from the store's stream. Pure. */
import type { Realm } from '../../core/arn.ts';
import type { HostCapacity, HostIdentity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import { drainEvents, pastPurchaseEvents, purchaseEvents } from '../operations/views/capacity-events.ts';
import {
  hostEvent,
  hostHasChanged,
  type StateEvent,
  taskEvent,
  taskHasChanged,
  waitingEvents,
} from '../operations/views/events.ts';
import { drainOf, hostCapacityOf, pastPurchaseOf, purchaseOf, taskOf } from '../store/images.ts';
import type { Item, ItemChange } from '../store/table.ts';

/** A change that is told of, and what has to be known for that. */
export type Noted =
  | { readonly task: Task; readonly isNew: boolean }
  | { readonly host: HostCapacity }
  | { readonly events: readonly StateEvent[] };

/** `at`: epoch milliseconds. No events where nothing happened that anybody is told of. */
export function noteOf(realm: Realm, { before, after }: ItemChange, at: number | undefined): Noted {
  const task = after && taskOf(after);
  if (task !== undefined)
    return taskHasChanged(before && taskOf(before), task) ? { task, isNew: before === undefined } : nothing;
  const host = after && hostCapacityOf(after);
  if (host !== undefined) return hostHasChanged(before && hostCapacityOf(before), host) ? { host } : nothing;
  return { events: capacityEvents(realm, { before, after }, at) };
}

/** What is forgotten after its retention is among it: nothing happened to it. */
const nothing: Noted = { events: [] };

function capacityEvents(realm: Realm, { before, after }: ItemChange, at: number | undefined): StateEvent[] {
  const changed = <T>(read: (item: Item) => T | undefined) => ({
    before: before && read(before),
    after: after && read(after),
  });
  const past = after && pastPurchaseOf(after);
  return [
    ...purchaseEvents(realm, changed(purchaseOf), at),
    // Made once; its end is that it is forgotten.
    ...(past === undefined || before !== undefined ? [] : pastPurchaseEvents(realm, past, at)),
    ...drainEvents(realm, changed(drainOf), at),
  ];
}

/** Throws where there is no such revision: it is kept for as long as a task of it is. */
export function eventsOfTask(
  realm: Realm,
  { task, isNew }: { readonly task: Task; readonly isNew: boolean },
  definition: TaskDefinition | undefined,
  at: number | undefined,
): StateEvent[] {
  if (definition === undefined) throw new Error(`${task.family}:${task.revision} does not exist`);
  return [taskEvent(realm, task, definition, at), ...(isNew ? waitingEvents(realm, task, at) : [])];
}

/** None where the host is forgotten. */
export const eventsOfHost = (
  realm: Realm,
  host: HostCapacity,
  identity: HostIdentity | undefined,
  at: number | undefined,
): StateEvent[] => (identity === undefined ? [] : [hostEvent(realm, host, identity, at)]);
