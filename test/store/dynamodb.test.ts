import { describe, expect, it } from 'vitest';
import { type DynamoDbTableOptions, openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { seededRandom } from '../../core/random.ts';
import { type FaultCounts, FaultInjector, injectFaults, someFaults } from '../support/dynamodb-faults.ts';
import { anyCredentials, startDynoxide, whyNoDynoxide } from '../support/dynoxide.ts';
import { startFaultyDynamo } from '../support/faulty-dynamo.ts';
import { describeTable, type OpenTable } from './conformance.ts';

const skip = whyNoDynoxide();

/** Opens a table of its own on a server, and disposes of both. */
async function openOn(
  server: AsyncDisposable & { readonly endpoint: string },
  options: Partial<DynamoDbTableOptions> = {},
): Promise<OpenTable> {
  const { endpoint } = server;
  const where = { tableName: 'gantry', region: 'us-east-1', endpoint, credentials: anyCredentials, create: true };
  const table = await openDynamoDbTable({ ...where, ...options });
  return {
    table,
    async [Symbol.asyncDispose]() {
      await table.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describeTable('the table over DynamoDB', async () => openOn(await startDynoxide()), { skip, stories: 100 });

const hurried = (seed: number) => ({ random: seededRandom(seed), sleep: async () => {} });

/** A suite that met no faults would prove nothing. */
function expectAllKinds(counts: FaultCounts | undefined): void {
  expect(Object.entries(counts ?? { none: 0 }).filter(([, count]) => count < 10)).toEqual([]);
}

describe('with faults injected by middleware', () => {
  const injector = new FaultInjector(1, someFaults);
  const configureClient: DynamoDbTableOptions['configureClient'] = (client) => injectFaults(client, injector);
  const open = async () => openOn(await startDynoxide(), { ...hurried(1), configureClient });
  describeTable('the table over DynamoDB', open, { skip, stories: 50 });
  it.skipIf(skip !== undefined)('met every kind of fault', () => expectAllKinds(injector.counts));
});

describe('with faults injected by a proxy', () => {
  let counts: FaultCounts | undefined;
  const open = async () => {
    const server = await startFaultyDynamo({ seed: 2, rates: someFaults });
    counts = server.counts;
    return openOn(server, hurried(2));
  };
  describeTable('the table over DynamoDB', open, { skip, stories: 50 });
  it.skipIf(skip !== undefined)('met every kind of fault', () => expectAllKinds(counts));
});
