/** What a webhook is sent: the events that wait for it, as ListEvents shows them, in the envelope of Standard Webhooks. */
import { clusterArn, type Realm } from '../../core/arn.ts';
import { detailTypes } from '../../core/model/event.ts';
import type { Webhook } from '../../core/model/webhook.ts';
import type { ControlDeps } from '../deps.ts';
import { eventView, lookAtEvents } from '../events/look.ts';
import { writtenAt } from '../store/event-ids.ts';
import type { KeptEvent } from '../store/events.ts';
import type { Message } from './post.ts';

export interface Batch {
  /** In order; none where nothing waits. */
  readonly events: readonly KeptEvent[];
  /** The id up to which nothing else waits: the cursor once these are accepted. */
  readonly through: string;
  readonly looked: number;
  /** More will wait in a moment. */
  readonly isUnsettled: boolean;
}

/** Of the bodies; one event may be longer. */
const mostBytes = 256 * 1024;

type Reading = Pick<ControlDeps, 'table' | 'clock' | 'journal'>;

/** What waits behind the cursor, as much as one request carries. With `through`, what was behind it up to there. */
export async function nextBatch(
  deps: Reading,
  { cluster, kinds, subject, maxEvents }: Webhook,
  cursor: string,
  through?: string,
): Promise<Batch> {
  const look = {
    cluster,
    subject: undefined,
    about: subject?.id,
    detailTypes: kinds && new Set(kinds.map((kind): string => detailTypes[kind])),
    descending: false,
    size: maxEvents,
    floor: cursor,
    position: undefined,
  };
  const seen = await lookAtEvents(deps, look);
  if (through !== undefined) return { ...seen, events: seen.events.filter(({ id }) => id <= through), through };
  const events = fitting(seen.events);
  const last = events.length < seen.events.length ? events.at(-1)?.id : undefined;
  return { ...seen, events, through: last ?? seen.lastId };
}

function fitting(events: readonly KeptEvent[]): readonly KeptEvent[] {
  let bytes = 0;
  const over = events.findIndex(({ detail, headline }, index) => {
    bytes += Buffer.byteLength(detail) + Buffer.byteLength(headline) + 500;
    return index > 0 && bytes > mostBytes;
  });
  return over === -1 ? events : events.slice(0, over);
}

/** The same for the same events, whenever and by whomever it is sent. */
export const eventsMessage = (realm: Realm, webhook: Webhook, { events, through }: Batch): Message => ({
  id: `msg_${webhook.id}_${through}`,
  body: envelope(realm, webhook, 'events', writtenAt(through), events),
});

/** `id`: of this test alone. */
export const testMessage = (realm: Realm, webhook: Webhook, { id, at }: { id: string; at: number }): Message => ({
  id: `msg_${webhook.id}_test_${id}`,
  body: envelope(realm, webhook, 'test', at, []),
});

const envelope = (
  realm: Realm,
  { id, cluster }: Webhook,
  type: 'events' | 'test',
  at: number,
  events: readonly KeptEvent[],
): string =>
  JSON.stringify({
    type,
    timestamp: new Date(at),
    data: {
      webhookId: id,
      clusterArn: clusterArn(realm, cluster),
      events: events.flatMap((event) => eventView(realm, event) ?? []),
    },
  });
