/** ListEvents: pages of what was told of a cluster, or of one task or host in it; where nothing is left, on wish waiting for more. */
import { z } from 'zod';
import type { Input, Output } from '../../core/api/operations.ts';
import type { Realm } from '../../core/arn.ts';
import { detailTypes } from '../../core/model/event.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import { eventsTopic } from '../events/keep.ts';
import { type EventLook, type EventsSeen, eventView, lookAtEvents, noJournal } from '../events/look.ts';
import { beginningOf, isEventId } from '../store/event-ids.ts';
import type { Handlers } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { activeClusterName } from './references.ts';
import { subjectNamed } from './subjects.ts';
import { readUntil, waitSeconds } from './waiting.ts';

type Wish = Input<'ListEvents'>;

const positionSchema = z.string().regex(/^[\da-f#-]{1,100}$/);

export const listEvents: Handlers['ListEvents'] = async ({ deps }, input) => {
  if (!deps.journal.isKept) throw noJournal();
  const cluster = await activeClusterName(deps, input.cluster);
  const look = await lookFor(deps, cluster, input);
  if (input.timeout === undefined) return answer(deps.realm, look, await lookAtEvents(deps, look));
  if (look.descending) throw parameterFault('timeout', 'timeout belongs to order=oldest: what comes next is new.');
  let floor = look.floor;
  const wait = {
    topic: eventsTopic(cluster),
    seconds: waitSeconds(input.timeout),
    isReached: ({ events, position }: EventsSeen) => events.length > 0 || position !== undefined,
  };
  const seen = await readUntil(deps, wait, async () => {
    const next = await lookAtEvents(deps, { ...look, floor });
    floor = next.lastId;
    return next;
  });
  return answer(deps.realm, look, seen);
};

async function lookFor(deps: ControlDeps, cluster: string, input: Wish): Promise<EventLook> {
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
    subject: (await subjectNamed(deps, cluster, input))?.id,
    detailTypes: kind && new Set(kind.map((one): string => detailTypes[one])),
    descending: order === 'newest',
    size: pageSize(input.limit, 'limit'),
    floor: [behind, from].toSorted().at(-1) ?? '',
    position: nextToken === undefined ? undefined : decodeToken(positionSchema, nextToken),
  };
}

function answer(
  realm: Realm,
  { descending }: EventLook,
  { events, position, lastId }: EventsSeen,
): Output<'ListEvents'> {
  const isAtEnd = !descending && position === undefined;
  return {
    events: events.flatMap((event) => eventView(realm, event) ?? []),
    ...nextTokenOf(position),
    ...(isAtEnd && isEventId(lastId) && { resumeAfter: lastId }),
  };
}
