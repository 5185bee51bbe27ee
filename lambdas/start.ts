/**
 * Starts the control plane within a function: over DynamoDB, its connection opened and the store recognised while the function
 * initialises, which Lambda does with a whole processor and before the first request waits.
 */
import { randomBytes } from 'node:crypto';
import type { ControlDeps } from '../control/deps.ts';
import type { SecretBox } from '../control/keys/secret-box.ts';
import { openDeps, pause } from '../control/open.ts';
import { openDynamoDbTable } from '../control/store/dynamodb.ts';
import { createEventIds } from '../control/store/event-ids.ts';
import type { Table } from '../control/store/table.ts';
import { unsupportedImages, unsupportedLogs, unsupportedStats } from './capabilities.ts';
import type { ControlEnvironment } from './environment.ts';
import type { Instruments } from './instruments.ts';
import { createPollingFeed } from './polling-feed.ts';
import { framePoster } from './post-frame.ts';
import { gatewayWake, noWake } from './wake-hosts.ts';

export const openTable = (
  { GANTRY_TABLE: tableName, AWS_REGION: region }: Pick<ControlEnvironment, 'GANTRY_TABLE' | 'AWS_REGION'>,
  { tracing }: Pick<Instruments, 'tracing'>,
): Promise<Table> =>
  openDynamoDbTable({ tableName, region, ...(tracing && { configureClient: (client) => tracing.capture(client) }) });

/** `more`: what only some functions need. */
export async function startControl(
  environment: ControlEnvironment,
  instruments: Instruments,
  { sealing = 'now', ...more }: Pick<ControlDeps, 'callerIdentity'> & { readonly sealing?: 'now' | 'later' } = {},
): Promise<ControlDeps> {
  const { AWS_REGION: region, GANTRY_CONNECTIONS_ENDPOINT: endpoint, GANTRY_WAKE_URL: wakeUrl } = environment;
  const { log, metrics } = instruments;
  const world = {
    table: await openTable(environment, instruments),
    log,
    clock: { now: () => Date.now() },
    random: () => Math.random(),
    sleep: pause,
  };
  const { GANTRY_KEY_ARN: keyArn, GANTRY_WEBHOOK_ADDRESSES: webhookAddresses } = environment;
  const options = {
    ...world,
    ...more,
    ...(keyArn !== undefined && (await sealed[sealing](world, { keyArn, region }))),
    newId: () => randomBytes(16).toString('hex'),
    settings: {
      heartbeatSeconds: environment.GANTRY_HEARTBEAT_SECONDS,
      retentionSeconds: environment.GANTRY_RETENTION_SECONDS,
      auditSeconds: environment.GANTRY_AUDIT_SECONDS,
      // The schedule comes once a minute, at some second of it.
      timerJitterSeconds: 60,
      ...(webhookAddresses !== undefined && { webhookAddresses }),
      ...(wakeUrl !== undefined && { sockets: { wake: wakeUrl } }),
    },
    realm: { region, accountId: environment.GANTRY_ACCOUNT_ID },
  };
  return openDeps(options, {
    wake: endpoint === undefined ? noWake : gatewayWake(world, framePoster({ endpoint, region, credentials })),
    feed: createPollingFeed(),
    logs: unsupportedLogs,
    hostImages: unsupportedImages,
    hostStats: unsupportedStats,
    // The store's stream activates the loops, and the sweep each minute: this process may be frozen as soon as it has answered.
    activate: () => {},
    metrics,
    journal: {
      isKept: environment.GANTRY_EVENTS,
      settleMs: eventsSettleMs,
      nextId: createEventIds(world.clock.now, randomBytes(4).toString('hex')),
    },
  });
}

/** Longer than a write takes with its retries, what clocks differ by, and the index is late. */
const eventsSettleMs = 5000;

type SealingModule = typeof import('./sealing.ts');

/** Loaded only where secrets are sealed. */
async function openSealed(...args: Parameters<SealingModule['openSecretBox']>): Promise<SecretBox> {
  const { openSecretBox } = await import('./sealing.ts');
  return openSecretBox(...args);
}

/** `later`: where few secrets are opened, and much else must go on while KMS does not answer. */
const sealed = {
  now: async (...args: Parameters<typeof openSealed>) => ({ secretBox: await openSealed(...args) }),
  async later(...args: Parameters<typeof openSealed>) {
    let opened: Promise<SecretBox> | undefined;
    const laterSecretBox = (): Promise<SecretBox> => {
      opened ??= openSealed(...args).catch((error: unknown) => {
        opened = undefined; // The next one asks again.
        throw error;
      });
      return opened;
    };
    return { laterSecretBox };
  },
};

/** The function's own role: Lambda puts them there, and new ones into new processes. */
export const credentials = () => ({
  accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  ...(process.env.AWS_SESSION_TOKEN !== undefined && { sessionToken: process.env.AWS_SESSION_TOKEN }),
});
