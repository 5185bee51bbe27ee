/** Looks through what was told of a cluster, or of one task or host in it, for what somebody wants to hear of: a bounded part at a time. */
import type { EventView } from '../../core/api/events.ts';
import type { Realm } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { kindOf } from '../../core/model/event.ts';
import type { ControlDeps } from '../deps.ts';
import { beginningOf } from '../store/event-ids.ts';
import { clusterEvents, type KeptEvent, subjectEvents } from '../store/events.ts';

/** Looked at for one page: what no filter lets through costs as much as what it does. */
const mostLookedAt = 1000;

export interface EventLook {
  readonly cluster: string;
  /** Read by itself, in the order of its changes, which is not that of ids. */
  readonly subject: string | undefined;
  /** In the order of ids, only what is told of this one. */
  readonly about?: string | undefined;
  readonly detailTypes: ReadonlySet<string> | undefined;
  readonly descending: boolean;
  readonly size: number;
  /** Ids up to this one are left out. */
  readonly floor: string;
  /** Where the page before has ended. */
  readonly position: string | undefined;
}

export interface EventsSeen {
  readonly events: readonly KeptEvent[];
  /** Of the last that was looked at, where the page is full. */
  readonly position: string | undefined;
  /** The greatest id that was looked at. */
  readonly lastId: string;
  /** How many were looked at. */
  readonly looked: number;
  /** There are more that may not be told yet: others may still come between them. */
  readonly isUnsettled: boolean;
}

export async function lookAtEvents(
  { table, clock, journal }: Pick<ControlDeps, 'table' | 'clock' | 'journal'>,
  look: EventLook,
): Promise<EventsSeen> {
  const { cluster, subject, descending, size, floor } = look;
  const now = clock.now();
  const settled = journal.settleMs === 0 ? undefined : beginningOf(now - journal.settleMs);
  const options = { now, descending, pageSize: Math.min(size, 25), ...startOf(look) };
  const entries =
    subject === undefined ? clusterEvents(table, cluster, options) : subjectEvents(table, subject, options);
  const events: KeptEvent[] = [];
  let [looked, last, lastId, isUnsettled] = [0, look.position, floor, false];
  for await (const { position, entry } of entries) {
    isUnsettled = !descending && settled !== undefined && entry.id > settled;
    if (isUnsettled) break;
    if (descending && subject === undefined && entry.id <= floor) break;
    if (events.length === size || looked === mostLookedAt)
      return { events, position: last, lastId, looked, isUnsettled };
    looked += 1;
    last = position;
    if (entry.id > lastId) lastId = entry.id;
    if (isWanted(entry, look)) events.push(entry);
  }
  return { events, position: undefined, lastId, looked, isUnsettled };
}

/** Within one subject the order is another than that of ids: only a page before says where to begin. */
function startOf({ subject, descending, floor, position }: EventLook): { after?: string } {
  if (subject !== undefined || descending) return position === undefined ? {} : { after: position };
  const after = position !== undefined && position > floor ? position : floor;
  return after === '' ? {} : { after };
}

const isWanted = (event: KeptEvent, { cluster, floor, about, detailTypes: wanted }: EventLook): boolean =>
  event.cluster === cluster &&
  event.id > floor &&
  (about === undefined || event.subject === about) &&
  (wanted === undefined || wanted.has(event.detailType));

export function eventView(
  realm: Realm,
  { id, detailType, at, headline, resources, detail }: KeptEvent,
): EventView | undefined {
  const kind = kindOf(detailType);
  if (kind === undefined) return undefined; // Of a newer Gantry.
  return {
    id,
    kind,
    detailType,
    source: 'gantry',
    account: realm.accountId,
    region: realm.region,
    time: new Date(at),
    resources,
    detail: Object(JSON.parse(detail)),
    headline,
  };
}

export const noJournal = (): GantryError =>
  new GantryError('UnsupportedFeatureException', 'This control plane keeps no events.', {
    hint: 'On AWS they are switched off (`events: false`); `gantry up` keeps them where its store is sqlite.',
  });
