/** What an event is when it is kept, and how whoever waits for the events of a cluster hears of new ones. */
import type { StateEvent } from '../operations/views/events.ts';
import type { KeptEvent } from '../store/events.ts';

/** Its type may be one that only a newer Gantry knows. */
export type ToldEvent = Omit<StateEvent, 'detailType'> & { readonly detailType: string };

export const keptEvent = (
  { cluster, subject, detailType, headline, resources, detail }: ToldEvent,
  { id, at }: Pick<KeptEvent, 'id' | 'at'>,
): KeptEvent => ({ id, cluster, subject, detailType, at, headline, resources: [...resources], detail });

/** Of the feed: no id of a task has a space. */
export const eventsTopic = (cluster: string): string => `events of ${cluster}`;
