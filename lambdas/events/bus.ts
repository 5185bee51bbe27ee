/** The event bus as the handler sees it: events in, the indexes of those that were refused out. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Log } from '../../control/deps.ts';
import type { EventsDeps, TimedEvent } from './handler.ts';

export function eventBus(client: EventBridgeClient, busName: string, log: Log): EventsDeps['put'] {
  return async (events) => {
    const Entries = events.map((event) => entryOf(event, busName));
    const answer = await client.send(new PutEventsCommand({ Entries }));
    return (answer.Entries ?? []).flatMap(({ ErrorCode, ErrorMessage }, index) => {
      if (ErrorCode === undefined) return [];
      log.warn({ code: ErrorCode, why: ErrorMessage }, 'the event bus refused an event; it is tried again');
      return [index];
    });
  };
}

const entryOf = ({ detailType, detail, resources, at }: TimedEvent, EventBusName: string) => ({
  EventBusName,
  Source: 'gantry',
  DetailType: detailType,
  Detail: detail,
  Resources: [...resources],
  ...(at !== undefined && { Time: new Date(at) }),
});
