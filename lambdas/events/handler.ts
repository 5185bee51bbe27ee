/** Tells the event bus what changed of tasks, hosts and capacity. A change told twice is the same events twice, `version` and all. */
import type { Log } from '../../control/deps.ts';
import { drainEvents, pastPurchaseEvents, purchaseEvents } from '../../control/operations/views/capacity-events.ts';
import {
  hostEvent,
  hostHasChanged,
  type StateEvent,
  taskEvent,
  taskHasChanged,
} from '../../control/operations/views/events.ts';
import type { RecentReads } from '../../control/recent-reads.ts';
import { drainOf, hostCapacityOf, pastPurchaseOf, purchaseOf, taskOf } from '../../control/store/images.ts';
import type { Item } from '../../control/store/table.ts';
import type { Realm } from '../../core/arn.ts';
import { answerBatch, type BatchAnswer, type StreamRecord } from '../stream.ts';

export interface EventsDeps {
  readonly realm: Realm;
  readonly recent: Pick<RecentReads, 'revisionBody' | 'hostIdentity'>;
  readonly log: Log;
  /** Answers the indexes of the entries that were not taken. Throws where none was. */
  readonly put: (events: readonly TimedEvent[]) => Promise<readonly number[]>;
}

export interface TimedEvent extends StateEvent {
  /** When it happened (epoch milliseconds). */
  readonly at: number | undefined;
}

/** EventBridge's limits for one call; bytes with room for what surrounds an entry. */
const mostEntries = 10;
const mostBytes = 200_000;

export const createEventsHandler =
  (deps: EventsDeps) =>
  (event: unknown): Promise<BatchAnswer> =>
    answerBatch(event, deps.log, (records) => tellAll(deps, records));

interface Told {
  readonly sequenceNumber: string;
  readonly event: TimedEvent;
}

async function tellAll(deps: EventsDeps, records: readonly StreamRecord[]): Promise<string[]> {
  const failed: string[] = [];
  const told: Told[] = [];
  for (const record of records) {
    const { sequenceNumber, at } = record;
    try {
      const events = [...capacityEvents(deps, record), ...(await stateEvents(deps, record))];
      for (const event of events) told.push({ sequenceNumber, event: { ...event, at } });
    } catch (error) {
      deps.log.error({ err: error, sequenceNumber }, 'a change cannot be told of');
      failed.push(sequenceNumber);
    }
  }
  // In order, because one task's changes are best told in theirs.
  for (const chunk of chunksOf(told)) failed.push(...(await tell(deps, chunk)));
  return failed;
}

function capacityEvents({ realm }: EventsDeps, { before, after, at }: StreamRecord): StateEvent[] {
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

async function stateEvents({ realm, recent, log }: EventsDeps, record: StreamRecord): Promise<StateEvent[]> {
  const { before, after, at } = record;
  if (after === undefined) return []; // Forgotten after its retention: nothing happened to it.
  const task = taskOf(after);
  if (task !== undefined) {
    if (!taskHasChanged(before && taskOf(before), task)) return [];
    const definition = await recent.revisionBody(task);
    if (definition === undefined) throw new Error(`${task.family}:${task.revision} does not exist`);
    return [taskEvent(realm, task, definition, at)];
  }
  const host = hostCapacityOf(after);
  if (host === undefined || !hostHasChanged(before && hostCapacityOf(before), host)) return [];
  const identity = await recent.hostIdentity(host.hostId);
  if (identity !== undefined) return [hostEvent(realm, host, identity, at)];
  log.warn({ hostId: host.hostId, cluster: host.cluster }, 'a change of a host that is forgotten is not told of');
  return [];
}

function* chunksOf(told: readonly Told[]): Generator<readonly Told[]> {
  let chunk: Told[] = [];
  let bytes = 0;
  for (const one of told) {
    const size = Buffer.byteLength(one.event.detail);
    if (chunk.length > 0 && (chunk.length === mostEntries || bytes + size > mostBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(one);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Answers the sequence numbers of what was not taken; of a record with several events, all are told again. */
async function tell(deps: EventsDeps, chunk: readonly Told[]): Promise<string[]> {
  try {
    const refused = await deps.put(chunk.map(({ event }) => event));
    return refused.flatMap((index) => chunk[index]?.sequenceNumber ?? []);
  } catch (error) {
    deps.log.error({ err: error, events: chunk.length }, 'the event bus took nothing');
    return chunk.map(({ sequenceNumber }) => sequenceNumber);
  }
}
