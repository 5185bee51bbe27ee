/**
 * Starts the control plane within a function: over DynamoDB, its connection opened and the store recognised while the function
 * initialises, which Lambda does with a whole processor and before the first request waits.
 */
import { randomBytes } from 'node:crypto';
import type { ControlDeps } from '../control/deps.ts';
import { openDeps } from '../control/open.ts';
import { openDynamoDbTable } from '../control/store/dynamodb.ts';
import type { Table } from '../control/store/table.ts';
import { unsupportedLogs } from './capabilities.ts';
import type { ControlEnvironment } from './environment.ts';
import type { Instruments } from './instruments.ts';
import { createPollingFeed } from './polling-feed.ts';

export const openTable = (
  { GANTRY_TABLE: tableName, AWS_REGION: region }: Pick<ControlEnvironment, 'GANTRY_TABLE' | 'AWS_REGION'>,
  { tracing }: Pick<Instruments, 'tracing'>,
): Promise<Table> =>
  openDynamoDbTable({ tableName, region, ...(tracing && { configureClient: (client) => tracing.capture(client) }) });

export async function startControl(environment: ControlEnvironment, instruments: Instruments): Promise<ControlDeps> {
  const { log, metrics } = instruments;
  const options = {
    table: await openTable(environment, instruments),
    log,
    clock: { now: () => Date.now() },
    random: () => Math.random(),
    newId: () => randomBytes(16).toString('hex'),
    settings: {
      heartbeatSeconds: environment.GANTRY_HEARTBEAT_SECONDS,
      retentionSeconds: environment.GANTRY_RETENTION_SECONDS,
    },
    realm: { region: environment.AWS_REGION, accountId: environment.GANTRY_ACCOUNT_ID },
  };
  // The store's stream activates the loops, and the sweep each minute: this process may be frozen as soon as it has answered.
  const activate = (): void => {};
  return openDeps(options, { wake: noWake, feed: createPollingFeed(), logs: unsupportedLogs, activate, metrics });
}

const noWake = { hosts: async () => {} };
