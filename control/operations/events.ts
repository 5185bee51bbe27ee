/** ListEvents: pages of what was told of a cluster, or of one task or host in it; where nothing is left, on wish waiting for more. */
import { z } from 'zod';
import type { EventView } from '../../core/api/events.ts';
import type { Input, Output } from '../../core/api/operations.ts';
import type { Realm } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { detailTypes, kindOf } from '../../core/model/event.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import { eventsTopic } from '../events/keep.ts';
import { beginningOf, isEventId } from '../store/event-ids.ts';
import { clusterEvents, type KeptEvent, subjectEvents } from '../store/events.ts';
import type { Handlers } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { activeClusterName, hostIdMeant, taskIdMeant } from './references.ts';
import { readUntil, waitSeconds } from './waiting.ts';

type Wish = Input<'ListEvents'>;

/** Looked at for one page: what no filter lets through costs as much as what it does. */
const mostLookedAt = 1000;

const positionSchema = z.string().regex(/^[\da-f#-]{1,100}$/);

interface Look {
  readonly cluster: string;
  readonly subject: string | undefined;
  readonly detailTypes: ReadonlySet<string> | undefined;
  readonly descending: boolean;
  readonly size: number;
  /** Ids up to this one are left out. */
  readonly floor: string;
  /** Where the page before has ended. */
  readonly position: string | undefined;
}

interface Seen {
  readonly events: readonly KeptEvent[];
  /** Of the last that was looked at, where the page is full. */
  readonly position: string | undefined;
  /** The greatest id that was looked at. */
  readonly lastId: string;
}

export const listEvents: Handlers['ListEvents'] = async ({ deps }, input) => {
  if (!deps.journal.isKept) throw noJournal();
  const cluster = await activeClusterName(deps, input.cluster);
  const look = await lookFor(deps, cluster, input);
  if (input.timeout === undefined) return answer(deps.realm, look, await lookAt(deps, look));
  if (look.descending) throw parameterFault('timeout', 'timeout belongs to order=oldest: what comes next is new.');
  let floor = look.floor;
  const wait = {
    topic: eventsTopic(cluster),
    seconds: waitSeconds(input.timeout),
    isReached: ({ events, position }: Seen) => events.length > 0 || position !== undefined,
  };
  const seen = await readUntil(deps, wait, async () => {
    const next = await lookAt(deps, { ...look, floor });
    floor = next.lastId;
    return next;
  });
  return answer(deps.realm, look, seen);
};

const noJournal = (): GantryError =>
  new GantryError('UnsupportedFeatureException', 'This control plane keeps no events.', {
    hint: 'On AWS they are switched off (`events: false`); `gantry up` keeps them where its store is sqlite.',
  });

async function lookFor(deps: ControlDeps, cluster: string, input: Wish): Promise<Look> {
  const { after, order = after === undefined ? 'newest' : 'oldest', since, kind, nextToken } = input;
  if (after !== undefined && !isEventId(after))
    throw parameterFault('after', 'after must be the id of an event.', 'Pass the `id` of one, or `resumeAfter`.');
  if (after !== undefined && order === 'newest')
    throw parameterFault(
      'order',
      'order=newest does not go with after: what comes after an event is told oldest first.',
    );
  const [behind, from] = [after ?? '', since === undefined ? '' : beginningOf(Date.parse(since))];
  return {
    cluster,
    subject: await subjectMeant(deps, cluster, input),
    detailTypes: kind && new Set(kind.map((one): string => detailTypes[one])),
    descending: order === 'newest',
    size: pageSize(input.limit, 'limit'),
    floor: [behind, from].toSorted().at(-1) ?? '',
    position: nextToken === undefined ? undefined : decodeToken(positionSchema, nextToken),
  };
}

/** They need not exist any more. */
async function subjectMeant(deps: ControlDeps, cluster: string, { task, host }: Wish): Promise<string | undefined> {
  if (task !== undefined && host !== undefined)
    throw parameterFault('host', 'Name a task or a host, not both.', 'Ask for each of them.');
  if (task !== undefined) return taskIdMeant(deps, cluster, task) ?? notMeant('task', task);
  if (host !== undefined) return (await hostIdMeant(deps, cluster, host, 'host')) ?? notMeant('host', host);
  return undefined;
}

function notMeant(field: 'task' | 'host', reference: string): never {
  throw parameterFault(field, `${reference} names no ${field}.`, 'Give its id or its ARN.');
}

async function lookAt({ table, clock, journal }: ControlDeps, look: Look): Promise<Seen> {
  const { cluster, subject, descending, size, floor } = look;
  const now = clock.now();
  const settled = journal.settleMs === 0 ? undefined : beginningOf(now - journal.settleMs);
  const options = { now, descending, pageSize: Math.min(size, 25), ...startOf(look) };
  const entries =
    subject === undefined ? clusterEvents(table, cluster, options) : subjectEvents(table, subject, options);
  const events: KeptEvent[] = [];
  let [looked, last, lastId] = [0, look.position, floor];
  for await (const { position, entry } of entries) {
    if (!descending && settled !== undefined && entry.id > settled) break;
    if (descending && subject === undefined && entry.id <= floor) break;
    if (events.length === size || looked === mostLookedAt) return { events, position: last, lastId };
    looked += 1;
    last = position;
    if (entry.id > lastId) lastId = entry.id;
    if (isWanted(entry, look)) events.push(entry);
  }
  return { events, position: undefined, lastId };
}

/** Within one subject the order is another than that of ids: only a page before says where to begin. */
function startOf({ subject, descending, floor, position }: Look): { after?: string } {
  if (subject !== undefined || descending) return position === undefined ? {} : { after: position };
  const after = position !== undefined && position > floor ? position : floor;
  return after === '' ? {} : { after };
}

const isWanted = (event: KeptEvent, { cluster, floor, detailTypes: wanted }: Look): boolean =>
  event.cluster === cluster && event.id > floor && (wanted === undefined || wanted.has(event.detailType));

function answer(realm: Realm, { descending }: Look, { events, position, lastId }: Seen): Output<'ListEvents'> {
  const isAtEnd = !descending && position === undefined;
  return {
    events: events.flatMap((event) => viewOf(realm, event) ?? []),
    ...nextTokenOf(position),
    ...(isAtEnd && isEventId(lastId) && { resumeAfter: lastId }),
  };
}

function viewOf(realm: Realm, { id, detailType, at, headline, resources, detail }: KeptEvent): EventView | undefined {
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
