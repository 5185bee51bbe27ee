import { describe } from 'vitest';
import { type DynamoDbTableOptions, openDynamoDbTable } from '../../control/store/dynamodb.ts';
import { seededRandom } from '../../core/random.ts';
import { FaultInjector, injectFaults, someFaults } from '../support/dynamodb-faults.ts';
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

describe.each([1, 2])('with faults from seed %i', (seed) => {
  const hurried = { random: seededRandom(seed), sleep: async () => {} };

  describeTable(
    'the table over DynamoDB, faults injected by middleware',
    async () => {
      const injector = new FaultInjector(seed, someFaults);
      const configureClient: DynamoDbTableOptions['configureClient'] = (client) => injectFaults(client, injector);
      return openOn(await startDynoxide(), { ...hurried, configureClient });
    },
    { skip, stories: 50 },
  );

  describeTable(
    'the table over DynamoDB, faults injected by a proxy',
    async () => openOn(await startFaultyDynamo({ seed, rates: someFaults }), hurried),
    { skip, stories: 50 },
  );
});
