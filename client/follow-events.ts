/** Follows what happens in a cluster by long polls, which every platform has: each answers what is new, or later that nothing is. */
import type { EventView } from '../core/api/events.ts';
import type { Input } from '../core/api/operations.ts';
import { compact } from '../core/compact.ts';
import type { Client } from './client.ts';

/** Where gateways end requests at 30 s. */
const waitSeconds = 25;

export type EventFilters = Pick<Input<'ListEvents'>, 'cluster' | 'task' | 'host' | 'kind' | 'since' | 'after'>;

/** Each call of the function it answers goes on behind the last event that was handed out. */
export function followEvents(
  client: Pick<Client, 'call'>,
  filters: EventFilters,
  signal: AbortSignal,
): () => AsyncGenerator<EventView> {
  const { since, after: begin, ...others } = filters;
  let after = begin;
  return async function* () {
    let from = after;
    let nextToken: string | undefined;
    for (;;) {
      const position = from === undefined ? { since } : { after: from };
      const wish = { ...others, ...position, order: 'oldest' as const, timeout: waitSeconds, nextToken };
      const page = await client.call('ListEvents', compact(wish), signal);
      for (const event of page.events) {
        yield event;
        after = event.id;
      }
      nextToken = page.nextToken;
      if (nextToken !== undefined) continue; // It goes with what was asked for.
      after = page.resumeAfter ?? after;
      from = after;
    }
  };
}
