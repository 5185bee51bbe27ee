/** Writes down what changed of tasks, hosts and capacity, and tells the event bus. A change told twice is the same events twice, `version` and all. */
import type { Log } from '../../control/deps.ts';
import { eventsOfHost, eventsOfTask, noteOf } from '../../control/events/changes.ts';
import { keptEvent, type ToldEvent } from '../../control/events/keep.ts';
import type { StateEvent } from '../../control/operations/views/events.ts';
import type { RecentReads } from '../../control/recent-reads.ts';
import { addEvent } from '../../control/store/events.ts';
import { untoldEventOf } from '../../control/store/images.ts';
import type { Table } from '../../control/store/table.ts';
import type { Realm } from '../../core/arn.ts';
import { answerBatch, type BatchAnswer, type StreamRecord } from '../stream.ts';

export interface EventsDeps {
  readonly realm: Realm;
  readonly recent: Pick<RecentReads, 'revisionBody' | 'hostIdentity'>;
  readonly log: Log;
  /** Where they are written down, by which ids, and for how long. */
  readonly table: Pick<Table, 'commit'>;
  readonly now: () => number;
  readonly nextId: () => string;
  readonly retentionSeconds: number;
  /** Answers the indexes of the entries that were not taken. Throws where none was. */
  readonly put: (events: readonly TimedEvent[]) => Promise<readonly number[]>;
}

export interface TimedEvent extends ToldEvent {
  /** When it happened (epoch milliseconds). */
  readonly at: number | undefined;
}

/** DynamoDB's numbers have at most so many digits. */
const longestSequenceNumber = 40;

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
  /** By which it is written down once; absent where its writer has done so. */
  readonly origin?: string;
}

async function tellAll(deps: EventsDeps, records: readonly StreamRecord[]): Promise<string[]> {
  const failed: string[] = [];
  const told: Told[] = [];
  for (const record of records) {
    try {
      told.push(...(await eventsOf(deps, record)));
    } catch (error) {
      const { sequenceNumber } = record;
      deps.log.error({ err: error, sequenceNumber }, 'a change cannot be told of');
      failed.push(sequenceNumber);
    }
  }
  // In order, because one task's changes are best told in theirs.
  for (const chunk of chunksOf(told)) failed.push(...(await tell(deps, chunk)));
  return failed;
}

async function eventsOf(deps: EventsDeps, record: StreamRecord): Promise<Told[]> {
  const { sequenceNumber, at, after } = record;
  const untold = after && untoldEventOf(after);
  if (untold !== undefined) return [{ sequenceNumber, event: { ...untold, at: untold.at } }];
  const events = await stateEvents(deps, record);
  return events.map((event, index) => ({
    sequenceNumber,
    event: { ...event, at },
    // A stream's numbers grow, so what is told of one item is in the order of its changes.
    origin: `${sequenceNumber.padStart(longestSequenceNumber, '0')}#${index}`,
  }));
}

async function stateEvents({ realm, recent, log }: EventsDeps, record: StreamRecord): Promise<readonly StateEvent[]> {
  const { at } = record;
  const note = noteOf(realm, record, at);
  if ('events' in note) return note.events;
  if ('task' in note) return eventsOfTask(realm, note, await recent.revisionBody(note.task), at);
  const { host } = note;
  const identity = await recent.hostIdentity(host.hostId);
  if (identity === undefined)
    log.warn({ hostId: host.hostId, cluster: host.cluster }, 'a change of a host that is forgotten is not told of');
  return eventsOfHost(realm, host, identity, at);
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

/**
 * Written down first: what a reader of the bus hears of is there. Answers the sequence numbers of what failed; of a record with several
 * events, all are told again.
 */
async function tell(deps: EventsDeps, chunk: readonly Told[]): Promise<string[]> {
  const kept = await Promise.allSettled(chunk.map((one) => keep(deps, one)));
  const failed = chunk.filter((_, index) => kept[index]?.status === 'rejected').map((one) => one.sequenceNumber);
  const first = kept.find((result) => result.status === 'rejected');
  if (first !== undefined) deps.log.error({ err: first.reason, events: failed.length }, 'events were not written down');
  const toPut = chunk.filter((_, index) => kept[index]?.status === 'fulfilled');
  if (toPut.length === 0) return failed;
  try {
    const refused = await deps.put(toPut.map(({ event }) => event));
    return [...failed, ...refused.flatMap((index) => toPut[index]?.sequenceNumber ?? [])];
  } catch (error) {
    deps.log.error({ err: error, events: toPut.length }, 'the event bus took nothing');
    return chunk.map(({ sequenceNumber }) => sequenceNumber);
  }
}

/** Where it was told before, it stays as it is: a reader may have passed it. */
async function keep({ table, now, nextId, retentionSeconds }: EventsDeps, { event, origin }: Told): Promise<void> {
  if (origin === undefined) return;
  const kept = keptEvent(event, { id: nextId(), at: event.at ?? now() });
  const { outcome } = await table.commit([addEvent(kept, origin, retentionSeconds)], { rereads: true });
  if (outcome === 'conflict') throw new Error('others have written there at the same time');
}
