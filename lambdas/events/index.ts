/** The function `events`. It reads what events are made of, and runs nothing of the control plane. */
import { randomBytes } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createRecentReads } from '../../control/recent-reads.ts';
import { createEventIds } from '../../control/store/event-ids.ts';
import { eventsEnvironment } from '../environment.ts';
import { openInstruments } from '../instruments.ts';
import { openTable } from '../start.ts';
import { eventBus } from './bus.ts';
import { createEventsHandler } from './handler.ts';

const environment = eventsEnvironment(process.env);
const instruments = await openInstruments(environment);
const { log, tracing } = instruments;
const table = await openTable(environment, instruments);
const now = (): number => Date.now();
const client = new EventBridgeClient({ region: environment.AWS_REGION });
tracing?.capture(client);

export const handler = instruments.watched(
  'events',
  createEventsHandler({
    realm: { region: environment.AWS_REGION, accountId: environment.GANTRY_ACCOUNT_ID },
    recent: createRecentReads(table, { now }),
    table,
    now,
    nextId: createEventIds(now, randomBytes(4).toString('hex')),
    retentionSeconds: environment.GANTRY_RETENTION_SECONDS,
    put: eventBus(client, environment.GANTRY_EVENT_BUS, log),
    log,
  }),
);
